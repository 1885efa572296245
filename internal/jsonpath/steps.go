package jsonpath

import (
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// step is one part of a path. It applies itself to a node and goes on, with
// the rest of the path, from each node that it leads to.
type step interface {
	apply(e *evaluation, node any, rest []step)
	// definite reports whether the step leads to one node at most. last is set
	// for the last step of a path.
	definite(last bool) bool
}

// names leads to members of an object: .a, ['a'], ['a','b'].
type names []string

func (s names) definite(last bool) bool { return len(s) == 1 || last }

func (s names) apply(e *evaluation, node any, rest []step) {
	object, ok := node.(*jsonvalue.Object)
	if !ok {
		return
	}
	if len(s) > 1 && len(rest) == 0 {
		e.follow(s.pick(object), nil)
		return
	}
	for _, name := range s {
		if value, ok := object.Get(name); ok {
			e.follow(value, rest)
		}
	}
}

// pick makes an object of those of the named members that an object has: the
// result of several names at the end of a path.
func (s names) pick(object *jsonvalue.Object) *jsonvalue.Object {
	picked := jsonvalue.NewObject(len(s))
	for _, name := range s {
		if value, ok := object.Get(name); ok {
			picked.Set(name, value)
		}
	}
	return picked
}

// in reports whether a node is an object with all of the names, as a deep scan
// looks for it.
func (s names) in(node any) bool {
	object, ok := node.(*jsonvalue.Object)
	if !ok {
		return false
	}
	for _, name := range s {
		if _, ok := object.Get(name); !ok {
			return false
		}
	}
	return true
}

// indexes leads to items of an array: [0], [-1], [0,2].
type indexes []int

func (s indexes) definite(bool) bool { return len(s) == 1 }

func (s indexes) apply(e *evaluation, node any, rest []step) {
	list, ok := node.(*jsonvalue.List)
	if !ok {
		return
	}
	for _, i := range s {
		if value, ok := itemAt(list, i); ok {
			e.follow(value, rest)
		}
	}
}

// itemAt returns an item, and false where there is none. A negative index
// counts from the end.
func itemAt(list *jsonvalue.List, i int) (any, bool) {
	if i < 0 {
		i += list.Len()
	}
	return list.At(i)
}

// slice leads to a range of items: [1:3], [1:], [:3].
type slice struct {
	from, to       int
	hasFrom, hasTo bool
}

func (slice) definite(bool) bool { return false }

func (s slice) apply(e *evaluation, node any, rest []step) {
	list, ok := node.(*jsonvalue.List)
	if !ok {
		return
	}
	from, to := s.bounds(list.Len())
	for i := from; i < to && e.err == nil; i++ {
		if value, ok := itemAt(list, i); ok {
			e.follow(value, rest)
		}
	}
}

// bounds returns the range for an array. Jayway counts a negative bound from
// the end when it stands alone; between two bounds each index does so for
// itself, so that [-2:1] has the last two items and the first.
func (s slice) bounds(length int) (from, to int) {
	from, to = s.from, s.to
	switch {
	case s.hasFrom && s.hasTo:
		return max(from, -length), min(to, length)
	case s.hasFrom:
		if from < 0 {
			from += length
		}
		return max(from, 0), length
	}
	if to < 0 {
		to += length
	}
	return 0, min(to, length)
}

// wildcard leads to all members or items: .*, [*].
type wildcard struct{}

func (wildcard) definite(bool) bool { return false }

func (wildcard) apply(e *evaluation, node any, rest []step) {
	switch node := node.(type) {
	case *jsonvalue.Object:
		for _, value := range node.All() {
			e.follow(value, rest)
		}
	case *jsonvalue.List:
		for _, item := range node.Items {
			e.follow(item, rest)
		}
	}
}

// scan applies the step behind it to the node and to all objects and arrays
// below it: .. in front of a name, a bracket or a wildcard.
type scan struct{}

func (scan) definite(bool) bool { return false }

func (s scan) apply(e *evaluation, node any, rest []step) {
	s.visit(e, node, rest, 0)
}

func (s scan) visit(e *evaluation, node any, rest []step, depth int) {
	if !isContainer(node) || !e.spend(1) {
		return
	}
	if depth > jsonvalue.MaxDepth {
		e.err = ErrTooMuchWork
		return
	}
	if scanned(e, node, rest) {
		rest[0].apply(e, node, rest[1:])
	}
	switch node := node.(type) {
	case *jsonvalue.Object:
		for _, value := range node.All() {
			s.visit(e, value, rest, depth+1)
		}
	case *jsonvalue.List:
		for _, item := range node.Items {
			s.visit(e, item, rest, depth+1)
		}
	}
}

// scanned reports whether a deep scan applies the rest of the path to a node:
// the node must have all names, or be accepted by the filter.
func scanned(e *evaluation, node any, rest []step) bool {
	switch target := rest[0].(type) {
	case names:
		return !target.definite(len(rest) == 1) || target.in(node)
	case filter:
		return target.accepts(e, node)
	}
	return true
}

func isContainer(node any) bool {
	switch node.(type) {
	case *jsonvalue.Object, *jsonvalue.List:
		return true
	}
	return false
}

// filter leads to the items of an array that a condition accepts, or to an
// object that it accepts: [?(…)].
type filter struct {
	condition condition
}

func (filter) definite(bool) bool { return false }

func (s filter) apply(e *evaluation, node any, rest []step) {
	switch node := node.(type) {
	case *jsonvalue.Object:
		if s.accepts(e, node) {
			e.follow(node, rest)
		}
	case *jsonvalue.List:
		for _, item := range node.Items {
			if s.accepts(e, item) {
				e.follow(item, rest)
			}
		}
	}
}

func (s filter) accepts(e *evaluation, node any) bool {
	return e.spend(1) && s.condition.holds(e, node) && e.err == nil
}
