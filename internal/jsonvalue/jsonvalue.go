// Package jsonvalue holds JSON values the way Java's libraries hold them:
// objects keep their members in order, numbers keep their digits, and both
// objects and arrays may be changed in place. JSONPath and mapping templates
// work on these values.
//
// A value is one of nil, bool, Number, string, *Object and *List. Functions
// that take a value treat any other type as nil. No function changes a value
// that it is given, but for the methods of Object and List that say so; values
// that are shared between goroutines must not be changed.
package jsonvalue

// MaxDepth is how deep arrays and objects may be nested, in text that is
// parsed and in values that are printed.
const MaxDepth = 1000

// Equal tells whether two values are the same: numbers by their value, arrays
// by their items in order, objects by their members in any order. Values
// nested deeper than MaxDepth are not equal.
func Equal(a, b any) bool {
	return equal(a, b, 0)
}

func equal(a, b any, depth int) bool {
	if depth > MaxDepth {
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
		return ok && equalLists(a, other, depth)
	case *Object:
		other, ok := b.(*Object)
		return ok && equalObjects(a, other, depth)
	}
	return false
}

func equalLists(a, b *List, depth int) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	for i, item := range a.Items {
		if !equal(item, b.Items[i], depth+1) {
			return false
		}
	}
	return true
}

func equalObjects(a, b *Object, depth int) bool {
	if a == b {
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	for name, value := range a.All() {
		other, ok := b.Get(name)
		if !ok || !equal(value, other, depth+1) {
			return false
		}
	}
	return true
}
