package vtl

import "strings"

// reader reads what follows the name of a directive that began at start.
type reader func(p *parser, start int) (node, error)

// directiveReader returns the reader of a directive, or nil. Conditionals and
// #set are read elsewhere.
func directiveReader(name string) reader {
	switch name {
	case "foreach":
		return (*parser).foreach
	case "macro":
		return (*parser).macro
	case "define":
		return (*parser).define
	case "evaluate":
		return (*parser).evaluate
	case "break":
		return (*parser).breakOff
	case "stop":
		return (*parser).stop
	case "literal":
		return (*parser).literal
	case "include", "parse":
		return (*parser).refused
	}
	return nil
}

// directive reads what follows #name.
func (p *parser) directive(start int, name string) (node, error) {
	if name == "if" {
		return p.conditional(start)
	}
	if read := directiveReader(name); read != nil {
		return read(p, start)
	}
	return p.call(start, name)
}

// set reads a #set and the spaces before it, which are not printed. A #set
// without a parenthesis is text.
func (p *parser) set() (node, bool, error) {
	start := p.pos
	for p.peek(' ') || p.peek('\t') {
		p.pos++
	}
	hash := p.pos
	if !p.accept("#set") && !p.accept("#{set}") {
		p.pos = start
		return nil, false, nil
	}
	for p.peek(' ') {
		p.pos++
	}
	if !p.accept("(") {
		p.pos = start
		return nil, false, nil
	}
	n, err := p.assignment(hash)
	return n, true, err
}

func (p *parser) assignment(start int) (node, error) {
	p.space()
	if !p.peek('$') {
		return nil, p.unexpected("the reference that #set sets")
	}
	target, err := p.reference(0)
	if err != nil {
		return nil, err
	}
	if target == nil {
		return nil, p.unexpected("the reference that #set sets")
	}
	p.space()
	if !p.accept("=") {
		return nil, p.unexpected("the = of #set")
	}
	source, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.unexpected("the ) of #set")
	}
	p.gobble()
	return &set{target: target, source: source, at: p.at(start)}, nil
}

// conditional reads #if(condition) … #elseif(condition) … #else … #end.
func (p *parser) conditional(start int) (node, error) {
	c := &conditional{}
	name := "if"
	for {
		condition, err := p.condition(name)
		if err != nil {
			return nil, err
		}
		body, end, err := p.block()
		if err != nil {
			return nil, err
		}
		c.branches = append(c.branches, branch{condition: condition, body: body})
		switch end.name {
		case "end":
			return c, nil
		case "else":
			c.otherwise, err = p.enclosed(start, "if")
			return c, err
		case "":
			return nil, p.errorAt(start, "#if has no #end")
		}
		name = end.name
	}
}

func (p *parser) condition(name string) (expression, error) {
	p.space()
	if !p.accept("(") {
		return nil, p.unexpected("the ( of #" + name)
	}
	condition, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.unexpected("the ) of #" + name)
	}
	p.gobble()
	return condition, nil
}

// foreach reads #foreach($element in $items) … #end.
func (p *parser) foreach(start int) (node, error) {
	args, ok, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if !ok || len(args) != 3 || args[0].reference() == nil || args[1].word != "in" || args[2].word != "" {
		return nil, p.errorAt(start, "#foreach needs ($element in $items)")
	}
	f := &foreach{
		element: args[0].reference().symbol, scope: p.symbols.symbol("foreach"),
		items: args[2].value, at: p.at(start),
	}
	f.body, err = p.enclosed(start, "foreach")
	return f, err
}

// macro reads #macro(name $parameter …) … #end, which leaves nothing.
func (p *parser) macro(start int) (node, error) {
	args, ok, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if !ok || len(args) == 0 || args[0].word == "" {
		return nil, p.errorAt(start, "#macro needs (name $parameter …)")
	}
	m := &macro{}
	for _, arg := range args[1:] {
		ref := arg.reference()
		if ref == nil {
			return nil, p.errorAt(start, "a parameter of #macro(%s) is not a reference", args[0].word)
		}
		m.parameters = append(m.parameters, ref.symbol)
	}
	if m.body, err = p.enclosed(start, "macro"); err != nil {
		return nil, err
	}
	if _, defined := p.macros[args[0].word]; !defined {
		p.macros[args[0].word] = m
	}
	return nil, nil
}

// define reads #define($name) … #end.
func (p *parser) define(start int) (node, error) {
	args, ok, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if !ok || len(args) != 1 || args[0].reference() == nil {
		return nil, p.errorAt(start, "#define needs ($name)")
	}
	d := &define{symbol: args[0].reference().symbol, at: p.at(start)}
	d.body, err = p.enclosed(start, "define")
	return d, err
}

// evaluate reads #evaluate(source).
func (p *parser) evaluate(start int) (node, error) {
	args, ok, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if !ok || len(args) != 1 || args[0].value == nil {
		return nil, p.errorAt(start, "#evaluate needs one string or reference")
	}
	return &evaluate{source: args[0].value, at: p.at(start)}, nil
}

// breakOff reads #break or #break($foreach).
func (p *parser) breakOff(start int) (node, error) {
	args, _, err := p.arguments()
	if err != nil {
		return nil, err
	}
	b := &breakOff{at: p.at(start)}
	switch {
	case len(args) == 1 && args[0].value != nil:
		b.scope = args[0].value
	case len(args) > 0:
		return nil, p.errorAt(start, "#break takes nothing or a $foreach")
	}
	return b, nil
}

// stop reads #stop or #stop(message).
func (p *parser) stop(start int) (node, error) {
	args, _, err := p.arguments()
	if err == nil && (len(args) > 1 || len(args) == 1 && args[0].value == nil) {
		err = p.errorAt(start, "#stop takes nothing or a message")
	}
	return stop{}, err
}

// literal reads #literal() … #end, which prints its source.
func (p *parser) literal(start int) (node, error) {
	if _, ok, err := p.arguments(); err != nil || !ok {
		return nil, p.errorAt(start, "#literal needs ()")
	}
	first := p.pos
	_, end, err := p.block()
	switch {
	case err != nil:
		return nil, err
	case end.name != "end":
		return nil, p.errorAt(start, "#literal has no #end")
	}
	return text(p.source[first:end.start]), nil
}

func (p *parser) refused(start int) (node, error) {
	name := strings.TrimLeft(p.source[start+1:p.pos], "{")
	return nil, p.errorAt(start, "#%s: a mapping template cannot read another template", strings.TrimRight(name, "}"))
}

// call reads the call of a macro, or text that looks like one.
func (p *parser) call(start int, name string) (node, error) {
	args, ok, err := p.arguments()
	if err != nil {
		return nil, err
	}
	macroName, isBlock := strings.CutPrefix(name, "@")
	c := &call{name: macroName, isBlock: isBlock, at: p.at(start)}
	for _, arg := range args {
		c.args = append(c.args, arg.value)
		c.hasWords = c.hasWords || arg.word != ""
	}
	if isBlock {
		if !ok {
			return text(p.source[start:p.pos]), nil
		}
		c.content = p.symbols.symbol("bodyContent")
		if c.body, err = p.enclosed(start, name); err != nil {
			return nil, err
		}
	}
	c.source = p.source[start:p.pos]
	return c, nil
}

// directiveArgument is an argument of a directive: a value, or a bare word.
type directiveArgument struct {
	value expression
	word  string
}

func (a directiveArgument) reference() *reference {
	ref, _ := a.value.(*reference)
	return ref
}

// arguments reads the arguments of a directive, which commas or spaces may
// separate, and the rest of the line if it is empty. Without a parenthesis
// there are none, and nothing is read.
func (p *parser) arguments() (args []directiveArgument, ok bool, err error) {
	start := p.pos
	p.space()
	if !p.accept("(") {
		p.pos = start
		return nil, false, nil
	}
	for {
		p.space()
		if p.accept(")") {
			p.gobble()
			return args, true, nil
		}
		if len(args) > 0 && p.accept(",") {
			p.space()
		}
		arg, err := p.argument()
		if err != nil {
			return nil, false, err
		}
		args = append(args, arg)
	}
}

func (p *parser) argument() (directiveArgument, error) {
	start := p.pos
	if p.pos < len(p.source) && p.source[p.pos] != '{' {
		if word, _ := p.word(); word != "" && word != "true" && word != "false" {
			return directiveArgument{word: word}, nil
		}
		p.pos = start
	}
	if p.peek('(') {
		return directiveArgument{}, p.unexpected("an argument")
	}
	value, err := p.primary()
	return directiveArgument{value: value}, err
}
