// Package jsonvalue has JSON values like those of Java's libraries: objects
// keep their members in order, numbers keep their digits, and objects and
// arrays can be changed in place. JSONPath and mapping templates work on these
// values.
//
// A value is one of nil, bool, Number, string, *Object and *List. Functions
// that take a value treat any other type as nil. Only methods of Object and
// List change values, as their comments say. Values that are shared between
// goroutines must not be changed.
package jsonvalue

// MaxDepth is how deep arrays and objects may be nested, in text that is
// parsed and in values that are printed.
const MaxDepth = 1000

// EqualWithin reports whether two values are the same: numbers by their value,
// arrays by their items in order, objects by their members in any order. Values
// nested deeper than MaxDepth are not equal.
//
// A template can make values that take very long to compare. Each comparison of
// two values within them takes one from the budget. When that is used up it is
// negative, and the result is false.
func EqualWithin(a, b any, budget *int) bool {
	c := comparison{budget: budget}
	return c.equal(a, b, 0)
}

type comparison struct {
	budget *int
}

func (c comparison) equal(a, b any, depth int) bool {
	if *c.budget--; *c.budget < 0 || depth > MaxDepth {
		return false
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		other, ok := b.(bool)
		return ok && a == other
	case string:
		other, ok := b.(string)
		return ok && a == other
	case Number:
		other, ok := b.(Number)
		return ok && a.Compare(other) == 0
	case *List:
		other, ok := b.(*List)
		return ok && c.equalLists(a, other, depth)
	case *Object:
		other, ok := b.(*Object)
		return ok && c.equalObjects(a, other, depth)
	}
	return false
}

func (c comparison) equalLists(a, b *List, depth int) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	for i, item := range a.Items {
		if !c.equal(item, b.Items[i], depth+1) {
			return false
		}
	}
	return true
}

func (c comparison) equalObjects(a, b *Object, depth int) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	for _, m := range a.members {
		other, ok := b.Get(m.name)
		if !ok || !c.equal(m.value, other, depth+1) {
			return false
		}
	}
	return true
}
