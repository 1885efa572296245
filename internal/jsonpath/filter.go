package jsonpath

import (
	"strings"
	"unicode/utf16"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// condition is a condition that a filter has for nodes.
type condition interface {
	holds(e *evaluation, node any) bool
}

type or []condition

func (c or) holds(e *evaluation, node any) bool {
	for _, part := range c {
		if part.holds(e, node) {
			return true
		}
	}
	return false
}

type and []condition

func (c and) holds(e *evaluation, node any) bool {
	for _, part := range c {
		if !part.holds(e, node) {
			return false
		}
	}
	return true
}

type not struct {
	condition condition
}

func (c not) holds(e *evaluation, node any) bool {
	return !c.condition.holds(e, node)
}

// exists holds where the path finds a value, null included.
type exists struct {
	path operand
}

func (c exists) holds(e *evaluation, node any) bool {
	value, found := c.path.value(e, node)
	if list, ok := value.(*jsonvalue.List); ok && !c.path.path.definite {
		return list.Len() > 0
	}
	return found
}

// operand is a side of a comparison: a path, or a literal.
type operand struct {
	path    *Path // nil for a literal
	slot    int   // in the cache, of a path that starts with $; -1 for others
	literal any
}

// value returns the operand's value for a node, and false where its path finds
// nothing.
func (o operand) value(e *evaluation, node any) (any, bool) {
	if o.path == nil {
		return o.literal, true
	}
	if o.slot < 0 {
		return e.evaluate(o.path, node)
	}
	if !e.cache[o.slot].done {
		value, found := e.evaluate(o.path, e.document)
		e.cache[o.slot] = rootValue{value: value, found: found, done: true}
	}
	c := e.cache[o.slot]
	return c.value, c.found
}

// comparison holds where an operator accepts the values of two operands.
type comparison struct {
	left, right operand
	accepts     func(e *evaluation, left, right any) bool
	ifMissing   bool // whether it holds when one of the operands has no value
}

func (c comparison) holds(e *evaluation, node any) bool {
	left, ok := c.left.value(e, node)
	if !ok {
		return c.ifMissing
	}
	right, ok := c.right.value(e, node)
	if !ok {
		return c.ifMissing
	}
	return e.spend(1) && c.accepts(e, left, right)
}

// match holds where a regular expression matches the whole text of an operand,
// or of an item of its array. The text of a value that is missing, or not a
// string, number or boolean, is empty.
type match struct {
	operand operand
	regexp  *javaregexp.Regexp
}

func (c match) holds(e *evaluation, node any) bool {
	value, _ := c.operand.value(e, node)
	list, ok := value.(*jsonvalue.List)
	if !ok {
		return c.matches(e, value)
	}
	for _, item := range list.Items {
		if c.matches(e, item) {
			return true
		}
	}
	return false
}

func (c match) matches(e *evaluation, value any) bool {
	text := ""
	switch value.(type) {
	case string, jsonvalue.Number, bool:
		text = string(jsonvalue.AppendJava(nil, value))
	}
	if !e.spend(textWork(text)) {
		return false
	}
	matched, err := e.budget.match(c.regexp, text)
	if err != nil {
		e.err = err
	}
	return matched
}

// bytesPerWork is how many bytes of a text cost as much as one value.
const bytesPerWork = 16

// textWork is what it costs to read a text.
func textWork(text string) int {
	return 1 + len(text)/bytesPerWork
}

// operator compares two operands. The symbols and words are Jayway's.
type operator struct {
	accepts   func(e *evaluation, left, right any) bool
	ifMissing bool
}

var operators = map[string]operator{
	"==":       {accepts: equal},
	"!=":       {accepts: negated(equal), ifMissing: true},
	"===":      {accepts: identical},
	"!==":      {accepts: negated(identical), ifMissing: true},
	"<":        {accepts: ordered(func(c int) bool { return c < 0 })},
	"<=":       {accepts: ordered(func(c int) bool { return c <= 0 })},
	">":        {accepts: ordered(func(c int) bool { return c > 0 })},
	">=":       {accepts: ordered(func(c int) bool { return c >= 0 })},
	"in":       {accepts: in},
	"nin":      {accepts: negated(in), ifMissing: true},
	"all":      {accepts: all},
	"contains": {accepts: contains},
	"size":     {accepts: size},
	"empty":    {accepts: empty},
	"subsetof": {accepts: func(e *evaluation, left, right any) bool { return all(e, right, left) }},
	"anyof":    {accepts: anyOf},
	"noneof":   {accepts: noneOf},
}

func negated(accepts func(*evaluation, any, any) bool) func(*evaluation, any, any) bool {
	return func(e *evaluation, left, right any) bool { return !accepts(e, left, right) }
}

// equal compares a number with a string by its digits where the string is on
// the left, by its value where the number is.
func equal(e *evaluation, left, right any) bool {
	if !e.spend(1) {
		return false
	}
	switch l := left.(type) {
	case string:
		if r, ok := right.(jsonvalue.Number); ok {
			return l == r.String()
		}
	case jsonvalue.Number:
		if r, ok := right.(string); ok {
			parsed, err := jsonvalue.Parse([]byte(r))
			n, isNumber := parsed.(jsonvalue.Number)
			return err == nil && isNumber && l.Compare(n) == 0
		}
	}
	return identical(e, left, right)
}

// identical compares values of the same type.
func identical(e *evaluation, left, right any) bool {
	same := jsonvalue.EqualWithin(left, right, &e.budget.work)
	e.spend(0)
	return same
}

func ordered(accepts func(int) bool) func(*evaluation, any, any) bool {
	return func(_ *evaluation, left, right any) bool {
		switch l := left.(type) {
		case jsonvalue.Number:
			r, ok := right.(jsonvalue.Number)
			return ok && accepts(l.Compare(r))
		case string:
			r, ok := right.(string)
			return ok && accepts(strings.Compare(l, r))
		}
		return false
	}
}

// in looks for the left value among the right's items.
func in(e *evaluation, left, right any) bool {
	list, ok := right.(*jsonvalue.List)
	if !ok {
		return false
	}
	for _, item := range list.Items {
		if equal(e, left, item) {
			return true
		}
	}
	return false
}

// all looks for each of the right's items among the left's.
func all(e *evaluation, left, right any) bool {
	required, ok := right.(*jsonvalue.List)
	if _, isList := left.(*jsonvalue.List); !ok || !isList {
		return false
	}
	for _, item := range required.Items {
		if !in(e, item, left) {
			return false
		}
	}
	return true
}

func contains(e *evaluation, left, right any) bool {
	text, ok := left.(string)
	if !ok {
		return in(e, right, left)
	}
	part, ok := right.(string)
	return ok && e.spend(textWork(text)) && strings.Contains(text, part)
}

func size(_ *evaluation, left, right any) bool {
	n, _ := right.(jsonvalue.Number)
	want, ok := n.Int64()
	switch left := left.(type) {
	case string:
		return ok && int64(utf16Length(left)) == want
	case *jsonvalue.List:
		return ok && int64(left.Len()) == want
	}
	return false
}

// utf16Length is the length that Java gives a string.
func utf16Length(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

func empty(_ *evaluation, left, right any) bool {
	want, ok := right.(bool)
	switch left := left.(type) {
	case string:
		return ok && (left == "") == want
	case *jsonvalue.List:
		return ok && (left.Len() == 0) == want
	case *jsonvalue.Object:
		return ok && (left.Len() == 0) == want
	}
	return false
}

func anyOf(e *evaluation, left, right any) bool {
	list, ok := left.(*jsonvalue.List)
	if !ok {
		return false
	}
	for _, item := range list.Items {
		if in(e, item, right) {
			return true
		}
	}
	return false
}

func noneOf(e *evaluation, left, right any) bool {
	_, leftIsList := left.(*jsonvalue.List)
	_, rightIsList := right.(*jsonvalue.List)
	return leftIsList && rightIsList && !anyOf(e, left, right)
}
