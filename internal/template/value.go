package template

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// kind is the form of a value.
type kind uint8

const (
	// unknown stands for a value that could not be made, which was reported.
	// Whoever reads it reports nothing more, so that a mistake is reported
	// once.
	unknown kind = iota
	null
	boolean
	number
	text
	list
	object
)

// value is a node of a template: short-form tags are already in their long
// form, aliases are expanded. It remembers the line it was written on.
type value struct {
	kind    kind
	text    string // scalars, as written
	items   []*value
	members []member
	line    int
}

// member is one entry of an object, in the order of the file.
type member struct {
	key   string
	line  int // of the key
	value *value
}

func newText(line int, s string) *value { return &value{kind: text, text: s, line: line} }

func newBool(line int, b bool) *value {
	return &value{kind: boolean, text: strconv.FormatBool(b), line: line}
}

func newList(line int, items ...*value) *value {
	return &value{kind: list, items: items, line: line}
}

func newObject(line int, members ...member) *value {
	return &value{kind: object, members: members, line: line}
}

func newUnknown(line int) *value { return &value{kind: unknown, line: line} }

// with makes a member that is on the line of its value.
func with(key string, v *value) member { return member{key: key, line: v.line, value: v} }

// get returns the member's value, or nil.
func (v *value) get(key string) *value {
	if m := v.member(key); m != nil {
		return m.value
	}
	return nil
}

// member returns the entry with this key, or nil. It accepts a nil receiver.
func (v *value) member(key string) *member {
	if v == nil || v.kind != object {
		return nil
	}
	for i := range v.members {
		if v.members[i].key == key {
			return &v.members[i]
		}
	}
	return nil
}

// set replaces or adds a member; a nil value leaves the object as it is.
func (v *value) set(key string, x *value) {
	if x == nil {
		return
	}
	if m := v.member(key); m != nil {
		m.value = x
		return
	}
	v.members = append(v.members, with(key, x))
}

// without returns a copy of an object without the named members.
func (v *value) without(keys ...string) *value {
	c := newObject(v.line)
	for _, m := range v.members {
		if !slices.Contains(keys, m.key) {
			c.members = append(c.members, m)
		}
	}
	return c
}

// withoutNull returns a copy of an object without the members whose value is
// null: SAM treats these as absent.
func (v *value) withoutNull() *value {
	c := newObject(v.line)
	for _, m := range v.members {
		if m.value.kind != null {
			c.members = append(c.members, m)
		}
	}
	return c
}

// keys lists the names of an object's members.
func (v *value) keys() []string {
	var keys []string
	if v != nil {
		for _, m := range v.members {
			keys = append(keys, m.key)
		}
	}
	return keys
}

// isScalar reports whether the value can be written as a string.
func (v *value) isScalar() bool {
	return v != nil && (v.kind == text || v.kind == number || v.kind == boolean)
}

// isWhole reports whether no part of the value is unknown.
func (v *value) isWhole() bool {
	for _, item := range v.items {
		if !item.isWhole() {
			return false
		}
	}
	for _, m := range v.members {
		if !m.value.isWhole() {
			return false
		}
	}
	return v.kind != unknown
}

// is reports whether the value is exactly this string.
func (v *value) is(s string) bool { return v != nil && v.kind == text && v.text == s }

// describe returns the name of the value's kind for an error message.
func (v *value) describe() string {
	switch v.kind {
	case null:
		return "nothing"
	case boolean:
		return "a boolean"
	case number:
		return "a number"
	case text:
		return "a string"
	case list:
		return "a list"
	case object:
		return "an object"
	}
	return "an unknown value"
}

// plain returns the value as encoding/json would have decoded it; numbers are
// int64 or float64. Unknown values become nil.
func (v *value) plain() any {
	switch v.kind {
	case boolean:
		return v.text == "true"
	case number:
		return plainNumber(v.text)
	case text:
		return v.text
	case list:
		items := make([]any, len(v.items))
		for i, x := range v.items {
			items[i] = x.plain()
		}
		return items
	case object:
		members := make(map[string]any, len(v.members))
		for _, m := range v.members {
			members[m.key] = m.value.plain()
		}
		return members
	}
	return nil
}

// plainNumber reads a number. One that JSON does not have, such as .inf, stays
// a string.
func plainNumber(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if n, ok := new(big.Int).SetString(s, 10); ok {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f-f == 0 {
		return f
	}
	return s
}

// decimalDigits writes a whole number of another base, or one with underscores,
// in plain decimal digits. Any other number stays as it is written, so that
// leading zeros of an account id survive.
func decimalDigits(s string) string {
	if strings.ContainsAny(s, "_xXoObB") {
		if n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 0, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	return s
}
