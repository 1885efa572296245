package vtl

import (
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// callMap calls a method of java.util.Map. Keys are strings: a number as a key
// is its text.
func (r *run) callMap(object *jsonvalue.Object, name string, args []any) (any, error) {
	switch len(args) {
	case 0:
		return r.callMap0(object, name)
	case 1:
		if name == "putAll" {
			return r.putAll(object, args[0])
		}
		if name == "containsValue" {
			return r.containsValue(object, args[0])
		}
		key, err := r.text(args[0])
		if err != nil {
			return nil, err
		}
		return callMap1(object, name, key)
	case 2:
		key, err := r.text(args[0])
		if err != nil {
			return nil, err
		}
		return r.callMap2(object, name, key, args[1])
	}
	return nil, errNoMethod
}

func (r *run) callMap0(object *jsonvalue.Object, name string) (any, error) {
	switch name {
	case "size", "count", "length":
		return int64(object.Len()), nil
	case "isEmpty":
		return object.Len() == 0, nil
	case "clear":
		*object = jsonvalue.Object{}
		return "", nil
	case "keySet":
		return r.members(object, func(key string, _ any) any { return key })
	case "values":
		return r.members(object, func(_ string, value any) any { return value })
	case "entrySet":
		return r.members(object, func(key string, _ any) any { return &entry{object: object, key: key} })
	}
	return nil, errNoMethod
}

// members returns a list with the result of a function for each member of a
// map. It is a copy, not a view.
func (r *run) members(object *jsonvalue.Object, of func(key string, value any) any) (any, error) {
	if err := r.charge(2 * bytesPerItem * object.Len()); err != nil {
		return nil, err
	}
	items := make([]any, 0, object.Len())
	for key, value := range object.All() {
		items = append(items, of(key, value))
	}
	return newArrayList(items), nil
}

func callMap1(object *jsonvalue.Object, name, key string) (any, error) {
	value, found := object.Get(key)
	switch name {
	case "get":
		return value, nil
	case "containsKey":
		return found, nil
	case "remove":
		object.Delete(key)
		return value, nil
	}
	return nil, errNoMethod
}

func (r *run) callMap2(object *jsonvalue.Object, name, key string, value any) (any, error) {
	old, found := object.Get(key)
	switch name {
	case "put":
		return old, r.setMember(object, key, value)
	case "putIfAbsent":
		if old != nil {
			return old, nil
		}
		return nil, r.setMember(object, key, value)
	case "getOrDefault":
		if found {
			return old, nil
		}
		return value, nil
	case "remove":
		same, err := r.equal(old, value, 0)
		if !found || !same || err != nil {
			return false, err
		}
		return object.Delete(key), nil
	}
	return nil, errNoMethod
}

func (r *run) putAll(object *jsonvalue.Object, from any) (any, error) {
	other, ok := from.(*jsonvalue.Object)
	if !ok {
		return nil, errNoMethod
	}
	for i := range other.Len() {
		name, value := other.At(i)
		if err := r.setMember(object, name, value); err != nil {
			return nil, err
		}
	}
	return "", nil
}

func (r *run) containsValue(object *jsonvalue.Object, wanted any) (any, error) {
	for _, value := range object.All() {
		if same, err := r.equal(value, wanted, 0); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// callEntry calls a method of an entry of entrySet.
func (r *run) callEntry(e *entry, name string, args []any) (any, error) {
	switch {
	case name == "getKey" && len(args) == 0:
		return e.key, nil
	case name == "getValue" && len(args) == 0:
		return e.value(), nil
	case name == "setValue" && len(args) == 1:
		old := e.value()
		return old, r.setMember(e.object, e.key, args[0])
	}
	return nil, errNoMethod
}
