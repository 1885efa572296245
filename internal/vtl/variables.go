package vtl

import (
	"maps"
	"slices"
)

// symbols are the names of a template's variables, each with a number.
type symbols struct {
	names  []string
	number map[string]int
}

func newSymbols() *symbols { return &symbols{number: make(map[string]int)} }

func (s *symbols) symbol(name string) int {
	if n, ok := s.number[name]; ok {
		return n
	}
	n := len(s.names)
	s.names = append(s.names, name)
	s.number[name] = n
	return n
}

func (s *symbols) clone() *symbols {
	return &symbols{names: slices.Clone(s.names), number: maps.Clone(s.number)}
}

// slot holds a variable.
type slot struct {
	value any
	set   bool
}

// frame is a running macro. Its arguments are expressions that are evaluated in
// the caller's frame, each time they are used. A variable that the macro sets
// is also set outside, but the macro's own value hides that.
type frame struct {
	caller *frame
	args   []argument
	locals []local
}

type argument struct {
	symbol int
	value  expression
}

type local struct {
	symbol int
	value  any
}

func (f *frame) local(symbol int) *local {
	for i := range f.locals {
		if f.locals[i].symbol == symbol {
			return &f.locals[i]
		}
	}
	return nil
}

// get returns a variable's value, or nil.
func (r *run) get(symbol int) (any, error) {
	for f := r.frame; f != nil; f = f.caller {
		if l := f.local(symbol); l != nil && l.value != nil {
			return l.value, nil
		}
		for _, arg := range f.args {
			if arg.symbol == symbol {
				return r.argument(f.caller, arg.value)
			}
		}
	}
	if s := r.slots[symbol]; s.set {
		return s.value, nil
	}
	name := r.symbols.names[symbol]
	if r.loop != nil {
		switch name {
		case "velocityCount":
			return int64(r.loop.index + 1), nil
		case "velocityHasNext":
			return r.loop.hasNext, nil
		}
	}
	value, _ := r.host.Variable(name)
	return value, nil
}

// argument evaluates an argument of a macro as its caller sees it. It counts as
// a step, since arguments that name arguments double the work at each level.
func (r *run) argument(caller *frame, value expression) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	here := r.frame
	r.frame = caller
	v, err := value.value(r)
	r.frame = here
	return v, err
}

// set gives a variable a value, in every macro that is running and outside.
func (r *run) set(symbol int, value any) error {
	for f := r.frame; f != nil; f = f.caller {
		if l := f.local(symbol); l != nil {
			l.value = value
			continue
		}
		if err := r.charge(bytesPerItem); err != nil {
			return err
		}
		f.locals = append(f.locals, local{symbol, value})
	}
	r.slots[symbol] = slot{value: value, set: true}
	return nil
}

// restore undoes set for a variable of a loop.
func (r *run) restore(symbol int, previous any) {
	for f := r.frame; f != nil; f = f.caller {
		if l := f.local(symbol); l != nil {
			l.value = previous
		}
	}
	r.slots[symbol] = slot{value: previous, set: previous != nil}
}
