package vtl

import (
	"math/big"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// bytesPerItem is how much memory is counted for an item of a list, a member of
// a map or a variable.
const bytesPerItem = 32

// ArrayList is a list that a template made: a literal, a range, the result of
// split or keySet. It prints as Java's collections do, [a, b]. Lists that came
// from JSON print as JSON.
type ArrayList struct{ jsonvalue.List }

func newArrayList(items []any) *ArrayList {
	list := &ArrayList{}
	list.Items = items
	return list
}

func newObject(capacity int) *jsonvalue.Object { return jsonvalue.NewObject(capacity) }

// asList returns a list of either kind.
func asList(v any) (*jsonvalue.List, bool) {
	switch v := v.(type) {
	case *jsonvalue.List:
		return v, v != nil
	case *ArrayList:
		return &v.List, v != nil
	}
	return nil, false
}

// stored is the form in which lists and maps hold a value: numbers as those of
// jsonvalue.
func stored(v any) any {
	switch v := v.(type) {
	case int64:
		return jsonvalue.Int(v)
	case int:
		return jsonvalue.Int(int64(v))
	case int32:
		return jsonvalue.Int(int64(v))
	case float64:
		return jsonvalue.Float(v)
	case *big.Int:
		return jsonvalue.Number(v.String())
	}
	return v
}

// isEmpty reports whether a value equals a missing one: it is missing itself,
// or the empty string.
func isEmpty(v any) bool { return v == nil || v == "" }

// truth is a value as a condition.
func truth(v any) bool {
	if b, ok := v.(bool); ok {
		return b
	}
	return v != nil
}

// entry is a member of a map, as entrySet returns it.
type entry struct {
	object *jsonvalue.Object
	key    string
}

func (e *entry) value() any {
	v, _ := e.object.Get(e.key)
	return v
}

// iterator goes over items, as Java's Iterator does.
type iterator struct {
	items []any
	next  int
}

// loop is what $foreach stands for.
type loop struct {
	parent  *loop
	outer   *loop // the loop that ran before, whatever $foreach was
	index   int
	hasNext bool
}

func (l *loop) property(name string) (any, bool) {
	switch name {
	case "index":
		return int64(l.index), true
	case "count":
		return int64(l.index + 1), true
	case "hasNext":
		return l.hasNext, true
	case "first":
		return l.index < 1, true
	case "last":
		return !l.hasNext, true
	case "parent":
		if l.parent != nil {
			return l.parent, true
		}
	case "topmost":
		for l.parent != nil {
			l = l.parent
		}
		return l, true
	}
	return nil, false
}
