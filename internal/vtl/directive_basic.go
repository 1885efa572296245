package vtl

import "errors"

// set is #set($target = value). It does nothing if the value is missing.
type set struct {
	target *reference
	source expression
	at     place
}

func (s *set) render(r *run) error {
	v, err := s.source.value(r)
	if err != nil {
		return err
	}
	if v == nil {
		r.log(s.at, "#set of "+s.target.source+" has no value, and is left out")
		return nil
	}
	return s.target.assign(r, v)
}

// conditional is #if with its #elseif and #else.
type conditional struct {
	branches  []branch
	otherwise block
}

type branch struct {
	condition expression
	body      block
}

func (c *conditional) render(r *run) error {
	for _, b := range c.branches {
		ok, err := b.condition.truth(r)
		if err != nil {
			return err
		}
		if ok {
			return r.block(b.body)
		}
	}
	return r.block(c.otherwise)
}

// stop is #stop, which ends the template or the #evaluate that it is in.
type stop struct{}

func (stop) render(*run) error { return stopAll }

// breakOff is #break: it ends the nearest loop, macro, #define or template, or
// the loop of the $foreach that it is given.
type breakOff struct {
	scope expression // or nil
	at    place
}

func (b *breakOff) render(r *run) error {
	if b.scope == nil {
		return breakNearest
	}
	v, err := b.scope.value(r)
	if err != nil {
		return err
	}
	if l, ok := v.(*loop); ok {
		return &signal{loop: l}
	}
	return located(errors.New("the argument of #break is not a $foreach"), b.at)
}

// evaluate is #evaluate(source): a template within the template.
type evaluate struct {
	source expression
	at     place
}

func (e *evaluate) render(r *run) error {
	v, err := e.source.value(r)
	if err != nil {
		return err
	}
	return located(r.evaluate(v, e.at), e.at)
}

func (r *run) evaluate(v any, at place) error {
	source, err := r.text(v)
	if err != nil {
		return err
	}
	const bytesPerByte = 16 // of memory for source that is compiled
	if err := r.charge(bytesPerByte * len(source)); err != nil {
		return err
	}
	if err := r.enter(); err != nil {
		return err
	}
	defer r.leave()
	if r.symbols == r.template.symbols {
		r.symbols = r.symbols.clone()
	}
	if r.macros == nil {
		r.macros = make(map[string]*macro)
	}
	p := newParser(source, places{fixed: at}, r.symbols, r.macros)
	body, err := p.template()
	if err != nil {
		return err
	}
	r.slots = append(r.slots, make([]slot, len(r.symbols.names)-len(r.slots))...)
	err = r.block(body)
	if s := asSignal(err); s != nil && s.ends(nil) {
		return nil
	}
	return err
}
