package vtl

import "errors"

// macro is a #macro. Where the template defines it does not matter: all are
// known before the template begins.
type macro struct {
	parameters []int // symbols
	body       block
}

// bodyDepth is how deep the body that is passed to a macro may be nested in
// itself.
const bodyDepth = 20

// call is #name(arguments) or #@name(arguments) with a body. If there is no
// macro of that name it is text, and prints as it is written.
type call struct {
	name     string
	args     []expression
	hasWords bool // an argument is a bare word, which only text may have
	body     block
	isBlock  bool
	content  int // the symbol of $bodyContent
	source   string
	at       place
}

func (c *call) render(r *run) error {
	m := r.template.macros[c.name]
	if defined, ok := r.macros[c.name]; ok {
		m = defined
	}
	if m == nil {
		return located(r.write(c.source), c.at)
	}
	if c.hasWords {
		return located(errors.New("an argument of #"+c.name+" is a bare word"), c.at)
	}
	return located(c.run(r, m), c.at)
}

func (c *call) run(r *run, m *macro) error {
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	f := &frame{caller: r.frame}
	for i, parameter := range m.parameters {
		if i < len(c.args) {
			f.args = append(f.args, argument{symbol: parameter, value: c.args[i]})
		}
	}
	if c.isBlock {
		body := &definition{body: c.body, most: bodyDepth}
		f.locals = append(f.locals, local{symbol: c.content, value: body})
	}
	r.frame = f
	err := r.block(m.body)
	r.frame = f.caller
	if s := asSignal(err); s != nil && s.endsBlock() {
		return nil
	}
	return err
}

// define is #define($symbol).
type define struct {
	symbol int
	body   block
	at     place
}

// definitionDepth is how deep a #define may be nested in itself; deeper ones
// print nothing.
const definitionDepth = 2

func (d *define) render(r *run) error {
	return located(r.set(d.symbol, &definition{body: d.body, most: definitionDepth}), d.at)
}

// maxDefinitions is how deep #define blocks that print one another may be
// nested.
const maxDefinitions = 200

// definition is a block as a value: it is run each time it is printed, with the
// variables as they are then.
type definition struct {
	body  block
	depth int
	most  int
}

func (d *definition) print(r *run) error {
	if d.depth == d.most || r.template == nil {
		return nil // it is printed outside of an execution, or within itself
	}
	if r.definitions == maxDefinitions {
		return limitError("blocks of #define nested more than %d deep", maxDefinitions)
	}
	d.depth++
	r.definitions++
	err := r.block(d.body)
	r.definitions--
	d.depth--
	if s := asSignal(err); s != nil && s.endsBlock() {
		return nil
	}
	return err
}
