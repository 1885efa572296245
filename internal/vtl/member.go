package vtl

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// propertyOf returns the value of $v.name, or nil.
func propertyOf(v any, name string) any {
	var found any
	switch v := v.(type) {
	case *jsonvalue.Object:
		found, _ = v.Get(name)
	case *loop:
		found, _ = v.property(name)
	case *entry:
		switch name {
		case "key":
			found = v.key
		case "value":
			found = v.value()
		}
	case Caller:
		found, _ = v.Property(name)
	case string:
		if name == "empty" {
			found = v == ""
		}
	default:
		if list, ok := asList(v); ok && name == "empty" {
			found = list.Len() == 0
		}
	}
	return found
}

// item returns the value of $v[key], or nil. A negative index counts from the
// end of a list; one outside of it is an error.
func (r *run) item(v, key any) (any, error) {
	if list, ok := asList(v); ok {
		i, ok := integer(key)
		if !ok {
			return nil, nil
		}
		return at(list, fromEnd(list, i))
	}
	name, err := r.text(key)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		found, _ := v.Get(name)
		return found, nil
	case Caller:
		found, _ := v.Property(name)
		return found, nil
	}
	return nil, nil
}

// at returns the item at an index, which must be there.
func at(list *jsonvalue.List, i int64) (any, error) {
	if i < 0 || i >= int64(list.Len()) {
		return nil, fmt.Errorf("index %d is outside of a list of %d", i, list.Len())
	}
	return list.Items[i], nil
}

func fromEnd(list *jsonvalue.List, i int64) int64 {
	if i < 0 {
		i += int64(list.Len())
	}
	return i
}

// setItem is #set($in[key] = value).
func (r *run) setItem(in, key, value any) error {
	if list, ok := asList(in); ok {
		i, ok := integer(key)
		if !ok {
			return nil
		}
		i = fromEnd(list, i)
		if _, err := at(list, i); err != nil {
			return err
		}
		list.Items[i] = stored(value)
		return nil
	}
	name, err := r.text(key)
	if err != nil {
		return err
	}
	return r.setMember(in, name, value)
}

// setMember is #set($in.name = value). It does nothing if in cannot have such a
// member.
func (r *run) setMember(in any, name string, value any) error {
	switch in := in.(type) {
	case *jsonvalue.Object:
		if err := r.charge(bytesPerItem); err != nil {
			return err
		}
		in.Set(name, stored(value))
	case Setter:
		in.SetProperty(name, value)
	}
	return nil
}
