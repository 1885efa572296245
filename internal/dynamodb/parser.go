package dynamodb

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// expressions has what the expressions of one request share: the names and
// values that they refer to, and which of these were used.
type expressions struct {
	names      map[string]string
	values     map[string]value
	usedNames  map[string]bool
	usedValues map[string]bool
	any        bool // there was an expression
}

func newExpressions(names map[string]string, values map[string]value) *expressions {
	return &expressions{names: names, values: values, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
}

// finish returns an error if there are names or values that no expression used.
// It is called when all expressions of the request are parsed.
func (e *expressions) finish() error {
	for _, given := range []struct {
		member string
		keys   []string
		used   map[string]bool
	}{
		{"ExpressionAttributeNames", slices.Sorted(maps.Keys(e.names)), e.usedNames},
		{"ExpressionAttributeValues", slices.Sorted(maps.Keys(e.values)), e.usedValues},
	} {
		unused := slices.DeleteFunc(given.keys, func(key string) bool { return given.used[key] })
		if len(unused) == 0 {
			continue
		}
		if !e.any {
			return validation("%s can only be specified when using expressions", given.member)
		}
		return validation("Value provided in %s unused in expressions: keys: {%s}", given.member, strings.Join(unused, ", "))
	}
	return nil
}

// parser reads one expression.
type parser struct {
	*expressions
	tokens []token
}

// parse runs a rule over a whole expression. Errors name the member of the
// request that has the expression.
func parse[T any](e *expressions, member, expression string, rule func(*parser) (T, error)) (parsed T, err error) {
	e.any = true
	p := &parser{expressions: e}
	if p.tokens, err = lex(expression); err == nil {
		parsed, err = rule(p)
	}
	if err == nil && p.peek().kind != tokenEnd {
		err = p.unexpected()
	}
	var invalid *apiError
	if errors.As(err, &invalid) {
		err = validation("Invalid %s: %s", member, invalid.message)
	}
	return parsed, err
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != tokenEnd {
		p.tokens = p.tokens[1:]
	}
	return t
}

// accept takes the next token if it is the symbol or keyword.
func (p *parser) accept(text string) bool {
	if !p.peek().is(text) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) unexpected() error {
	near := make([]string, 0, 3)
	for _, t := range p.tokens[:min(3, len(p.tokens))] {
		near = append(near, t.text)
	}
	return validation("Syntax error; token: %q, near: %q", p.peek(), strings.TrimSpace(strings.Join(near, " ")))
}

// list reads one or more of a rule, separated by commas.
func list[T any](p *parser, rule func(*parser) (T, error)) ([]T, error) {
	var all []T
	for {
		one, err := rule(p)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
		if !p.accept(",") {
			return all, nil
		}
	}
}

// step is one step of a document path: into a map, or into a list.
type step struct {
	name  string
	index int // -1: by name
}

// path leads from an item to a value in it.
type path []step

// path reads a document path.
func (p *parser) path() (path, error) {
	first, err := p.attribute()
	if err != nil {
		return nil, err
	}
	steps := path{first}
	for {
		switch {
		case p.accept("."):
			var next step
			if next, err = p.attribute(); err != nil {
				return nil, err
			}
			steps = append(steps, next)
		case p.accept("["):
			index := p.next()
			n, err := strconv.Atoi(index.text)
			if index.kind != tokenNumber || err != nil {
				return nil, validation("Syntax error; token: %q, near: %q", index, "["+index.text)
			}
			if err := p.expect("]"); err != nil {
				return nil, err
			}
			steps = append(steps, step{index: n})
		default:
			if len(steps) > maxDepth {
				return nil, validation("The document path has too many nesting elements; nesting levels: %d", len(steps))
			}
			return steps, nil
		}
	}
}

func (p *parser) attribute() (step, error) {
	switch t := p.peek(); t.kind {
	case tokenAlias:
		p.next()
		name, ok := p.names[t.text]
		if !ok {
			return step{}, validation("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
		}
		p.usedNames[t.text] = true
		return step{name: name, index: -1}, nil
	case tokenName:
		if isReserved(t.text) {
			return step{}, validation("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.next()
		return step{name: t.text, index: -1}, nil
	}
	return step{}, p.unexpected()
}

// constant reads the value that a :name stands for.
func (p *parser) constant() (value, error) {
	t := p.next()
	v, ok := p.values[t.text]
	if !ok {
		return value{}, validation("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
	}
	p.usedValues[t.text] = true
	return v, nil
}
