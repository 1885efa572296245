package vtl

import (
	"cmp"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// comparison is ==, !=, <, <=, > or >=.
type comparison struct {
	operands
	op opcode
}

func (c *comparison) value(r *run) (any, error) { return boolValue(c.truth(r)) }

func (c *comparison) truth(r *run) (bool, error) {
	left, right, err := c.values(r)
	if err != nil {
		return false, err
	}
	if c.op == opEqual || c.op == opNotEqual {
		equal, err := r.looselyEqual(left, right)
		return equal == (c.op == opEqual), located(err, c.at)
	}
	a, aOK := asNumber(left)
	b, bOK := asNumber(right)
	if !aOK || !bOK {
		r.log(c.at, "a comparison with a value that is not a number is false")
		return false, nil
	}
	order, ordered := a.compare(b)
	if !ordered {
		return false, nil
	}
	switch c.op {
	case opLess:
		return order < 0, nil
	case opLessOrEqual:
		return order <= 0, nil
	case opGreater:
		return order > 0, nil
	default:
		return order >= 0, nil
	}
}

// looselyEqual is ==. It compares numbers by value, a missing value as an empty
// string, values of one kind by their content, and others by their text.
func (r *run) looselyEqual(a, b any) (bool, error) {
	if a == nil || b == nil {
		return isEmpty(a) && isEmpty(b), nil
	}
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return s == t, r.work(min(len(s), len(t)))
		}
	}
	if n, ok := asNumber(a); ok {
		if m, ok := asNumber(b); ok {
			order, ordered := n.compare(m)
			return ordered && order == 0, nil
		}
	}
	if sameKind(a, b) {
		return r.equal(a, b, 0)
	}
	s, err := r.text(a)
	if err != nil {
		return false, err
	}
	t, err := r.text(b)
	return s == t, err
}

func sameKind(a, b any) bool {
	if _, ok := asList(a); ok {
		_, ok = asList(b)
		return ok
	}
	switch a.(type) {
	case bool:
		_, ok := b.(bool)
		return ok
	case *jsonvalue.Object:
		_, ok := b.(*jsonvalue.Object)
		return ok
	}
	return false
}

// equal is Java's equals, except that integers of different types can be equal.
func (r *run) equal(a, b any, depth int) (bool, error) {
	if err := r.step(); err != nil {
		return false, err
	}
	if depth > jsonvalue.MaxDepth {
		return false, limitError("values nested more than %d deep", jsonvalue.MaxDepth)
	}
	if l, ok := asList(a); ok {
		m, ok := asList(b)
		if !ok || l.Len() != m.Len() {
			return false, nil
		}
		return r.equalLists(l, m, depth)
	}
	if o, ok := a.(*jsonvalue.Object); ok {
		p, ok := b.(*jsonvalue.Object)
		if !ok || o.Len() != p.Len() {
			return false, nil
		}
		return r.equalObjects(o, p, depth)
	}
	if n, ok := asNumber(a); ok {
		m, ok := asNumber(b)
		order, ordered := n.compare(m)
		return ok && n.isInteger() == m.isInteger() && ordered && order == 0, nil
	}
	switch a := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		s, ok := b.(string)
		return ok && a == s, r.work(len(a))
	case bool:
		return a == b, nil
	case *loop, *entry, *iterator, *definition:
		return a == b, nil
	}
	return false, nil
}

// equalLists compares lists of the same length.
func (r *run) equalLists(a, b *jsonvalue.List, depth int) (bool, error) {
	for i := range a.Items {
		if same, err := r.equal(a.Items[i], b.Items[i], depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// equalObjects compares objects with the same number of members.
func (r *run) equalObjects(a, b *jsonvalue.Object, depth int) (bool, error) {
	for name, value := range a.All() {
		other, ok := b.Get(name)
		if !ok {
			return false, nil
		}
		if same, err := r.equal(value, other, depth+1); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// compare returns the order of two numbers; ordered is false when one is NaN.
// Integers are compared exactly, others as floats.
func (n number) compare(m number) (order int, ordered bool) {
	if n.isInteger() && m.isInteger() {
		if n.big == nil && m.big == nil {
			return cmp.Compare(n.small, m.small), true
		}
		return n.bigInt().Cmp(m.bigInt()), true
	}
	f, g := n.float64(), m.float64()
	if f != f || g != g {
		return 0, false
	}
	return cmp.Compare(f, g), true
}
