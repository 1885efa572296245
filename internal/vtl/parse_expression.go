package vtl

import (
	"math/big"
	"strconv"
	"strings"
)

// operators are the binary operators by how tightly they bind, loosest first. A
// longer sign comes before one that is its beginning.
var operators = [][]operator{
	{{"||", opOr}, {"or", opOr}},
	{{"&&", opAnd}, {"and", opAnd}},
	{{"==", opEqual}, {"eq", opEqual}, {"!=", opNotEqual}, {"ne", opNotEqual}},
	{
		{"<=", opLessOrEqual}, {"le", opLessOrEqual}, {"<", opLess}, {"lt", opLess},
		{">=", opGreaterOrEqual}, {"ge", opGreaterOrEqual}, {">", opGreater}, {"gt", opGreater},
	},
	{{"+", opAdd}, {"-", opSubtract}},
	{{"*", opMultiply}, {"/", opDivide}, {"%", opModulo}},
}

type operator struct {
	sign string
	code opcode
}

type opcode int

const (
	opNone opcode = iota
	opOr
	opAnd
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opAdd
	opSubtract
	opMultiply
	opDivide
	opModulo
)

// expression reads an expression and the space around it.
func (p *parser) expression() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.binary(0)
}

// binary reads operands that are joined by operators of a level or tighter.
func (p *parser) binary(level int) (expression, error) {
	if level == len(operators) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		start := p.pos
		op := p.operator(level)
		if op == opNone {
			return left, nil
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		left = newBinary(op, left, right, p.at(start))
	}
}

func (p *parser) operator(level int) opcode {
	for _, op := range operators[level] {
		if p.acceptOperator(op.sign) {
			return op.code
		}
	}
	return opNone
}

func (p *parser) acceptOperator(sign string) bool {
	start := p.pos
	if !p.accept(sign) {
		return false
	}
	if isLetter(sign[0]) && p.pos < len(p.source) && isWordByte(p.source[p.pos]) {
		p.pos = start
		return false
	}
	return true
}

func (p *parser) unary() (expression, error) {
	p.space()
	if p.acceptOperator("!") || p.acceptOperator("not") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		operand, err := p.unary()
		return &negation{operand: operand}, err
	}
	e, err := p.primary()
	p.space()
	return e, err
}

// primary reads an operand.
func (p *parser) primary() (expression, error) {
	if p.pos == len(p.source) {
		return nil, p.unexpected("a value")
	}
	switch c := p.source[p.pos]; {
	case c == '$':
		ref, err := p.reference(0)
		if err == nil && ref == nil {
			return nil, p.unexpected("a reference")
		}
		return ref, err
	case c == '"' || c == '\'':
		return p.stringLiteral()
	case c == '[':
		return p.listOrRange()
	case c == '{':
		return p.mapLiteral()
	case c == '(':
		p.pos++
		e, err := p.expression()
		if err == nil && !p.accept(")") {
			err = p.unexpected(")")
		}
		return e, err
	case c == '-' || c == '.' || isDigit(c):
		return p.number()
	}
	start := p.pos
	switch name, _ := p.word(); name {
	case "true":
		return boolean(true), nil
	case "false":
		return boolean(false), nil
	}
	p.pos = start
	return nil, p.unexpected("a value")
}

// number reads an integer or a fraction. Two dots after digits belong to a
// range.
func (p *parser) number() (expression, error) {
	start := p.pos
	p.accept("-")
	whole := p.digits()
	fraction := 0
	isInteger := true
	if p.peek('.') && !strings.HasPrefix(p.source[p.pos:], "..") {
		p.pos++
		fraction = p.digits()
		isInteger = false
	}
	if whole+fraction == 0 {
		p.pos = start
		return nil, p.unexpected("a value")
	}
	if mark := p.pos; p.accept("e") || p.accept("E") {
		if !p.accept("-") {
			p.accept("+")
		}
		if p.digits() > 0 {
			isInteger = false
		} else {
			p.pos = mark
		}
	}
	literal := p.source[start:p.pos]
	if !isInteger {
		f, _ := strconv.ParseFloat(literal, 64) // too large is an infinity
		return &constant{constant: f}, nil
	}
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return &constant{constant: i}, nil
	}
	if len(literal) > maxIntegerDigits {
		return nil, p.errorAt(start, "an integer of more than %d digits", maxIntegerDigits)
	}
	i, _ := new(big.Int).SetString(literal, 10)
	return &constant{constant: i}, nil
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.source) && isDigit(p.source[p.pos]) {
		p.pos++
	}
	return p.pos - start
}

// listOrRange reads [a, b] or [a..b].
func (p *parser) listOrRange() (expression, error) {
	at := p.at(p.pos)
	p.pos++
	p.space()
	if p.accept("]") {
		return &listLiteral{at: at}, nil
	}
	first, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.accept("..") {
		last, err := p.expression()
		if err == nil && !p.accept("]") {
			err = p.unexpected("the ] of a range")
		}
		return &rangeLiteral{from: first, to: last, at: at}, err
	}
	items, err := p.restOfList(first)
	return &listLiteral{items: items, at: at}, err
}

func (p *parser) mapLiteral() (expression, error) {
	m := &mapLiteral{at: p.at(p.pos)}
	p.pos++
	p.space()
	if p.accept("}") {
		return m, nil
	}
	for {
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if !p.accept(":") {
			return nil, p.unexpected("the : between a key and its value")
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		m.keys, m.values = append(m.keys, key), append(m.values, value)
		if p.accept("}") {
			return m, nil
		}
		if !p.accept(",") {
			return nil, p.unexpected("a comma or the } of a map")
		}
	}
}
