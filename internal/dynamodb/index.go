package dynamodb

import (
	"cmp"
	"slices"
)

// keyAttribute is an attribute of a key.
type keyAttribute struct {
	name string
	kind kind
}

// index is a table's items in the order of a key: the table's own, or a
// secondary index. Items without an attribute of the key are not in it.
type index struct {
	name      string
	keys      []keyAttribute // the partition key, and the sort key if any
	tableKeys []keyAttribute // order items with equal keys; the table's own for its own index
	local     bool
	// projected are the attributes that a global index has; nil: all.
	projected  *projection
	projection projectionInput // as it was given
	entries    []item          // by compare
}

// compare orders items, or keys: anything that has the index's attributes.
func (x *index) compare(a, b item) int {
	for _, key := range x.keys {
		if order := a[key.name].order(b[key.name]); order != 0 {
			return order
		}
	}
	for _, key := range x.tableKeys {
		if order := a[key.name].order(b[key.name]); order != 0 {
			return order
		}
	}
	return 0
}

func (x *index) holds(i item) bool {
	return !slices.ContainsFunc(x.keys, func(key keyAttribute) bool { return i[key.name].kind != key.kind })
}

func (x *index) find(key item) (int, bool) {
	return slices.BinarySearchFunc(x.entries, key, x.compare)
}

// replace removes the item old and inserts new; either may be nil.
func (x *index) replace(old, new item) {
	if old != nil && x.holds(old) {
		if at, found := x.find(old); found {
			x.entries = slices.Delete(x.entries, at, at+1)
		}
	}
	if new != nil && x.holds(new) {
		at, _ := x.find(new)
		x.entries = slices.Insert(x.entries, at, new)
	}
}

// partition returns the entries whose partition key has a value.
func (x *index) partition(hash value) []item {
	name := x.keys[0].name
	start, _ := slices.BinarySearchFunc(x.entries, hash, func(i item, v value) int {
		return cmp.Or(i[name].order(v), 1) // finds the first of equal ones
	})
	end, _ := slices.BinarySearchFunc(x.entries, hash, func(i item, v value) int {
		if order := i[name].order(v); order != 0 {
			return order
		}
		return -1 // finds the end of the equal ones
	})
	return x.entries[start:end]
}

// keyOf returns the attributes of an item that determine its place in the
// index: those of the index's key and of the table's.
func (x *index) keyOf(i item) item {
	key := item{}
	for _, attributes := range [][]keyAttribute{x.keys, x.tableKeys} {
		for _, attribute := range attributes {
			key[attribute.name] = i[attribute.name]
		}
	}
	return key
}

// checkPosition returns an error for a start key that does not have the
// attributes that keyOf returns.
func (x *index) checkPosition(key item) error {
	want := x.keyOf(key)
	if len(want) != len(key) {
		return validation("The provided starting key is invalid")
	}
	for _, attributes := range [][]keyAttribute{x.keys, x.tableKeys} {
		for _, attribute := range attributes {
			if key[attribute.name].kind != attribute.kind {
				return validation("The provided starting key is invalid: The provided key element does not match the schema")
			}
		}
	}
	return nil
}
