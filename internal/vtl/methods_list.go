package vtl

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// callList calls a method of java.util.List. count is API Gateway's name for
// size.
func (r *run) callList(list *jsonvalue.List, name string, args []any) (any, error) {
	switch len(args) {
	case 0:
		return r.callList0(list, name)
	case 1:
		return r.callList1(list, name, args[0])
	case 2:
		return r.callList2(list, name, args[0], args[1])
	}
	return nil, errNoMethod
}

func (r *run) callList0(list *jsonvalue.List, name string) (any, error) {
	switch name {
	case "size", "count", "length":
		return int64(list.Len()), nil
	case "isEmpty":
		return list.Len() == 0, nil
	case "iterator", "listIterator":
		items, err := r.copied(list.Items)
		return &iterator{items: items}, err
	case "toArray":
		items, err := r.copied(list.Items)
		return newArrayList(items), err
	case "clear":
		list.Items = nil
		return "", nil
	}
	return nil, errNoMethod
}

func (r *run) callList1(list *jsonvalue.List, name string, arg any) (any, error) {
	switch name {
	case "get", "remove":
		i, ok := integer(arg)
		if !ok {
			return r.removeItem(list, name, arg)
		}
		v, err := at(list, i)
		if err == nil && name == "remove" {
			list.Items = slices.Delete(list.Items, int(i), int(i)+1)
		}
		return v, err
	case "add":
		return true, r.insert(list, list.Len(), arg)
	case "contains":
		i, err := r.indexOf(list, arg)
		return i >= 0, err
	case "indexOf":
		i, err := r.indexOf(list, arg)
		return int64(i), err
	case "lastIndexOf":
		i, err := r.lastIndexOf(list, arg)
		return int64(i), err
	}
	if other, ok := asList(arg); ok {
		return r.callLists(list, name, other)
	}
	return nil, errNoMethod
}

// callLists calls a method that takes another list.
func (r *run) callLists(list *jsonvalue.List, name string, other *jsonvalue.List) (any, error) {
	switch name {
	case "addAll":
		return other.Len() > 0, r.insert(list, list.Len(), other.Items...)
	case "containsAll":
		for _, item := range other.Items {
			if i, err := r.indexOf(list, item); i < 0 || err != nil {
				return false, err
			}
		}
		return true, nil
	case "removeAll", "retainAll":
		before := list.Len()
		kept := make([]any, 0, before)
		for _, item := range list.Items {
			i, err := r.indexOf(other, item)
			if err != nil {
				return nil, err
			}
			if (i >= 0) == (name == "retainAll") {
				kept = append(kept, item)
			}
		}
		list.Items = kept
		return len(kept) != before, nil
	}
	return nil, errNoMethod
}

func (r *run) callList2(list *jsonvalue.List, name string, first, second any) (any, error) {
	i, ok := integer(first)
	if !ok {
		return nil, errNoMethod
	}
	switch name {
	case "set":
		old, err := at(list, i)
		if err == nil {
			list.Items[i] = stored(second)
		}
		return old, err
	case "add":
		return "", r.insertAt(list, i, second)
	case "addAll":
		if other, ok := asList(second); ok {
			return other.Len() > 0, r.insertAt(list, i, other.Items...)
		}
	case "subList":
		to, ok := integer(second)
		if !ok {
			break
		}
		if i < 0 || to > int64(list.Len()) || i > to {
			return nil, fmt.Errorf("no items %d to %d in a list of %d", i, to, list.Len())
		}
		items, err := r.copied(list.Items[i:to])
		return newArrayList(items), err
	}
	return nil, errNoMethod
}

// removeItem is remove(Object).
func (r *run) removeItem(list *jsonvalue.List, name string, item any) (any, error) {
	if name != "remove" {
		return nil, errNoMethod
	}
	i, err := r.indexOf(list, item)
	if i < 0 || err != nil {
		return false, err
	}
	list.Items = slices.Delete(list.Items, i, i+1)
	return true, nil
}

func (r *run) indexOf(list *jsonvalue.List, wanted any) (int, error) {
	for i, item := range list.Items {
		if same, err := r.equal(item, wanted, 0); same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func (r *run) lastIndexOf(list *jsonvalue.List, wanted any) (int, error) {
	for i, item := range slices.Backward(list.Items) {
		if same, err := r.equal(item, wanted, 0); same || err != nil {
			return i, err
		}
	}
	return -1, nil
}

// insert puts items in a list, in the form that lists have them.
func (r *run) insert(list *jsonvalue.List, i int, items ...any) error {
	if err := r.charge(bytesPerItem * len(items)); err != nil {
		return err
	}
	if i == list.Len() && len(items) == 1 {
		list.Add(stored(items[0]))
		return nil
	}
	if err := r.work(list.Len()); err != nil {
		return err
	}
	list.Items = slices.Insert(list.Items, i, items...)
	for j := range items {
		list.Items[i+j] = stored(list.Items[i+j])
	}
	return nil
}

func (r *run) insertAt(list *jsonvalue.List, i int64, items ...any) error {
	if i < 0 || i > int64(list.Len()) {
		return errors.New("the index is outside of the list")
	}
	return r.insert(list, int(i), items...)
}

func (r *run) copied(items []any) ([]any, error) {
	if err := r.charge(bytesPerItem * len(items)); err != nil {
		return nil, err
	}
	return slices.Clone(items), nil
}
