package dynamodb

import (
	"slices"
	"strings"
)

// condition is a condition, filter or key condition.
type condition interface{ holds(item) bool }

type (
	and struct{ left, right condition }
	or  struct{ left, right condition }
	not struct{ inner condition }

	comparison struct {
		operator    string
		left, right operand
	}
	between struct{ subject, low, high operand }
	in      struct {
		subject operand
		choices []operand
	}
	// predicate is a call of a function that returns true or false.
	predicate struct {
		name      string
		arguments []operand
		test      func(subject, argument value) bool
	}
	// existence is attribute_exists or attribute_not_exists.
	existence struct {
		path path
		want bool
	}
)

func (c and) holds(i item) bool       { return c.left.holds(i) && c.right.holds(i) }
func (c or) holds(i item) bool        { return c.left.holds(i) || c.right.holds(i) }
func (c not) holds(i item) bool       { return !c.inner.holds(i) }
func (c existence) holds(i item) bool { _, ok := c.path.get(i); return ok == c.want }

// holds is false for attributes that are missing, except that <> holds.
func (c comparison) holds(i item) bool {
	left, ok := c.left.get(i)
	right, ok2 := c.right.get(i)
	return compare(c.operator, left, right, ok && ok2)
}

func compare(operator string, left, right value, present bool) bool {
	switch operator {
	case "=":
		return present && left.equal(right)
	case "<>":
		return !present || !left.equal(right)
	}
	if !present || left.kind != right.kind || !left.kind.ordered() {
		return false
	}
	switch order := left.order(right); operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

func (c between) holds(i item) bool {
	return comparison{">=", c.subject, c.low}.holds(i) && comparison{"<=", c.subject, c.high}.holds(i)
}

func (c in) holds(i item) bool {
	return slices.ContainsFunc(c.choices, func(choice operand) bool {
		return comparison{"=", c.subject, choice}.holds(i)
	})
}

func (c predicate) holds(i item) bool {
	subject, ok := c.arguments[0].get(i)
	argument, ok2 := c.arguments[1].get(i)
	return ok && ok2 && c.test(subject, argument)
}

var predicates = map[string]func(subject, argument value) bool{
	"begins_with": func(subject, prefix value) bool {
		return subject.kind == prefix.kind && (subject.kind == kindString || subject.kind == kindBinary) &&
			strings.HasPrefix(subject.text, prefix.text)
	},
	"contains": func(subject, part value) bool {
		switch subject.kind {
		case kindString, kindBinary:
			return subject.kind == part.kind && strings.Contains(subject.text, part.text)
		}
		return subject.has(part)
	},
	"attribute_type": func(subject, name value) bool { return string(subject.kind) == name.text },
}

// condition reads alternatives; AND binds closer than OR, and NOT than both.
func (p *parser) condition() (condition, error) {
	left, err := p.conjunction()
	for err == nil && p.accept("OR") {
		var right condition
		right, err = p.conjunction()
		left = or{left, right}
	}
	return left, err
}

func (p *parser) conjunction() (condition, error) {
	left, err := p.negation()
	for err == nil && p.accept("AND") {
		var right condition
		right, err = p.negation()
		left = and{left, right}
	}
	return left, err
}

func (p *parser) negation() (condition, error) {
	if p.accept("NOT") {
		inner, err := p.negation()
		return not{inner}, err
	}
	if p.accept("(") {
		inner, err := p.condition()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	if name := p.peek(); name.kind == tokenName && p.tokens[1].is("(") && name.text != "size" {
		return p.predicate()
	}
	return p.comparison()
}

func (p *parser) predicate() (condition, error) {
	name := p.next().text
	p.next() // the parenthesis
	if name == "attribute_exists" || name == "attribute_not_exists" {
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		return existence{path, name == "attribute_exists"}, p.expect(")")
	}
	test, ok := predicates[name]
	if !ok {
		if name == "if_not_exists" || name == "list_append" {
			return nil, validation("The function is not allowed in a condition expression; function: %s", name)
		}
		return nil, validation("Invalid function name; function: %s", name)
	}
	arguments, err := list(p, (*parser).operand)
	if err != nil {
		return nil, err
	}
	if len(arguments) != 2 {
		return nil, validation("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(arguments))
	}
	if kind, ok := arguments[1].(constant); ok && name == "attribute_type" {
		if !slices.Contains([]string{"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}, kind.text) {
			return nil, validation("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", kind.text)
		}
	}
	return predicate{name, arguments, test}, p.expect(")")
}

func (p *parser) comparison() (condition, error) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	switch operator := p.peek(); {
	case p.accept("BETWEEN"):
		low, err := p.operand()
		if err != nil {
			return nil, err
		}
		if err := p.expect("AND"); err != nil {
			return nil, err
		}
		high, err := p.operand()
		return between{left, low, high}, err
	case p.accept("IN"):
		if err := p.expect("("); err != nil {
			return nil, err
		}
		choices, err := list(p, (*parser).operand)
		if err != nil {
			return nil, err
		}
		return in{left, choices}, p.expect(")")
	case operator.kind == tokenSymbol && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, operator.text):
		p.next()
		right, err := p.operand()
		return comparison{operator.text, left, right}, err
	}
	return nil, p.unexpected()
}
