package jsonvalue

import (
	"iter"
	"slices"
)

// Object is a JSON object: members by name, in the order in which the names
// were first set. The zero value is empty.
type Object struct {
	members []member
	index   map[string]int // place by name; nil while members are few
}

type member struct {
	name  string
	value any
}

// indexed is the number of members from which an object has a map to find them.
const indexed = 9

// NewObject makes an empty object with room for so many members.
func NewObject(capacity int) *Object {
	// Object and members are one allocation where they are few.
	switch {
	case capacity <= 0:
		return new(Object)
	case capacity <= 4:
		o := new(struct {
			Object
			room [4]member
		})
		o.members = o.room[:0]
		return &o.Object
	case capacity < indexed:
		o := new(struct {
			Object
			room [indexed - 1]member
		})
		o.members = o.room[:0]
		return &o.Object
	}
	return &Object{members: make([]member, 0, capacity), index: make(map[string]int, capacity)}
}

// Len is the number of members.
func (o *Object) Len() int {
	return len(o.members)
}

// Get returns the value of a member, or false when there is none.
func (o *Object) Get(name string) (any, bool) {
	if i := o.place(name); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

// At returns the member at a place from 0 to Len()-1.
func (o *Object) At(i int) (name string, value any) {
	return o.members[i].name, o.members[i].value
}

// Set gives a member a value. A new member comes last, an existing one keeps
// its place.
func (o *Object) Set(name string, value any) {
	if i := o.place(name); i >= 0 {
		o.members[i].value = value
		return
	}
	o.members = append(o.members, member{name, value})
	switch {
	case o.index != nil:
		o.index[name] = len(o.members) - 1
	case len(o.members) >= indexed:
		o.buildIndex()
	}
}

// Delete removes a member, and reports whether there was one.
func (o *Object) Delete(name string) bool {
	i := o.place(name)
	if i < 0 {
		return false
	}
	o.members = slices.Delete(o.members, i, i+1)
	o.index = nil
	if len(o.members) >= indexed {
		o.buildIndex()
	}
	return true
}

// Keys returns the names of the members in order.
func (o *Object) Keys() []string {
	keys := make([]string, len(o.members))
	for i, m := range o.members {
		keys[i] = m.name
	}
	return keys
}

// All goes through the members in order. The object must not be changed
// meanwhile.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o.members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// place returns the place of a member, or -1.
func (o *Object) place(name string) int {
	if o.index != nil {
		if i, ok := o.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].name == name {
			return i
		}
	}
	return -1
}

func (o *Object) buildIndex() {
	o.index = make(map[string]int, 2*len(o.members))
	for i, m := range o.members {
		o.index[m.name] = i
	}
}
