package dynamodb

import (
	"math/big"
	"strconv"
	"strings"
)

// operand has a value for each item; ok is false when an item has none.
type operand interface {
	get(item) (v value, ok bool)
}

// constant is a value of the request.
type constant struct{ value }

func (c constant) get(item) (value, bool) { return c.value, true }

// size is the function size(path).
type size struct{ of path }

func (s size) get(i item) (value, bool) {
	v, ok := s.of.get(i)
	var n int
	switch v.kind {
	case kindString, kindBinary:
		n = len(v.text)
	case kindList, kindStringSet, kindNumberSet, kindBinarySet:
		n = len(v.members)
	case kindMap:
		n = len(v.fields)
	default:
		return value{}, false
	}
	return value{kind: kindNumber, number: number{coefficient: big.NewInt(int64(n))}}, ok
}

// operand reads a path, a :value or size(path).
func (p *parser) operand() (operand, error) {
	switch t := p.peek(); {
	case t.kind == tokenValue:
		v, err := p.constant()
		return constant{v}, err
	case t.kind == tokenName && t.text == "size" && p.tokens[1].is("("):
		p.next()
		p.next()
		of, err := p.path()
		if err != nil {
			return nil, err
		}
		return size{of}, p.expect(")")
	}
	return p.path()
}

// get returns the value at the path.
func (steps path) get(i item) (value, bool) {
	v := value{kind: kindMap, fields: i}
	for _, step := range steps {
		switch {
		case step.index < 0:
			next, ok := v.fields[step.name]
			if !ok {
				return value{}, false
			}
			v = next
		case v.kind == kindList && step.index < len(v.members):
			v = v.members[step.index]
		default:
			return value{}, false
		}
	}
	return v, true
}

// String writes the path as DynamoDB's messages do.
func (steps path) String() string {
	text := make([]string, len(steps))
	for i, step := range steps {
		text[i] = step.name
		if step.index >= 0 {
			text[i] = "[" + strconv.Itoa(step.index) + "]"
		}
	}
	return "[" + strings.Join(text, ", ") + "]"
}
