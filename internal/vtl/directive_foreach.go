package vtl

import "github.com/stagedoor/stagedoor/internal/jsonvalue"

// foreach is #foreach($element in $items).
type foreach struct {
	element, scope int // symbols; that of the scope is of $foreach
	items          expression
	body           block
	at             place
}

// sequence is what a loop goes through: a list as it is at each turn, the
// values of a map, or the rest of an iterator.
type sequence struct {
	list     *jsonvalue.List
	object   *jsonvalue.Object
	iterator *iterator
	next     int
}

func sequenceOf(v any) (sequence, bool) {
	if list, ok := asList(v); ok {
		return sequence{list: list}, true
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		return sequence{object: v}, true
	case *iterator:
		return sequence{iterator: v}, true
	case Iterable:
		return sequence{iterator: &iterator{items: v.Items()}}, true
	}
	return sequence{}, false
}

func (s *sequence) hasNext() bool {
	switch {
	case s.list != nil:
		return s.next < s.list.Len()
	case s.object != nil:
		return s.next < s.object.Len()
	}
	return s.iterator.next < len(s.iterator.items)
}

// take returns the next item; there must be one.
func (s *sequence) take() any {
	s.next++
	switch {
	case s.list != nil:
		return s.list.Items[s.next-1]
	case s.object != nil:
		_, v := s.object.At(s.next - 1)
		return v
	}
	s.iterator.next++
	return s.iterator.items[s.iterator.next-1]
}

func (f *foreach) render(r *run) error {
	v, err := f.items.value(r)
	if err != nil {
		return err
	}
	seq, ok := sequenceOf(v)
	if !ok {
		return nil
	}
	return located(f.run(r, seq), f.at)
}

func (f *foreach) run(r *run, seq sequence) error {
	element, err := r.get(f.element)
	if err != nil {
		return err
	}
	scope, err := r.get(f.scope)
	if err != nil {
		return err
	}
	l := &loop{index: -1, outer: r.loop}
	l.parent, _ = scope.(*loop)
	if err := r.set(f.scope, l); err != nil {
		return err
	}
	r.loop = l
	err = f.turns(r, l, seq)
	r.loop = l.outer
	r.restore(f.element, element)
	r.restore(f.scope, scope)
	return err
}

func (f *foreach) turns(r *run, l *loop, seq sequence) error {
	for seq.hasNext() && l.index+1 < r.limits.Iterations {
		if err := r.step(); err != nil {
			return err
		}
		item := seq.take()
		l.index++
		l.hasNext = seq.hasNext()
		if err := r.set(f.element, item); err != nil {
			return err
		}
		if err := r.block(f.body); err != nil {
			if s := asSignal(err); s != nil && s.ends(l) {
				return nil
			}
			return err
		}
	}
	return nil
}
