package jsonpath

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
)

// filter reads the (condition) behind [?.
func (p *parser) filter() (step, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	c, err := p.group()
	if err != nil {
		return nil, err
	}
	return filter{condition: c}, nil
}

// group reads a condition and the parenthesis that ends it.
func (p *parser) group() (condition, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	return c, p.expect(")")
}

func (p *parser) or() (condition, error) {
	parts, err := p.joined("||", p.and)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	return or(parts), nil
}

func (p *parser) and() (condition, error) {
	parts, err := p.joined("&&", p.condition)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	return and(parts), nil
}

func first(parts []condition) condition {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

// joined reads conditions with an operator between them.
func (p *parser) joined(operator string, read func() (condition, error)) ([]condition, error) {
	var parts []condition
	for {
		c, err := read()
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
		if p.space(); !p.skip(operator) {
			return parts, nil
		}
	}
}

func (p *parser) condition() (condition, error) {
	p.space()
	switch {
	case p.skip("!"):
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		c, err := p.condition()
		return not{condition: c}, err
	case p.skip("("):
		return p.group()
	}
	return p.comparison()
}

// comparison reads two operands with an operator between them, or the one path
// that must exist.
func (p *parser) comparison() (condition, error) {
	if p.next() == '/' {
		return p.patternFirst()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	symbol := p.operator()
	switch {
	case symbol == "" && left.path == nil:
		return nil, p.fail("expected an operator behind the literal")
	case symbol == "":
		return exists{path: left}, nil
	case symbol == "=~":
		pattern, err := p.pattern()
		if err != nil {
			return nil, err
		}
		return match{operand: left, regexp: pattern}, nil
	}
	o, ok := operators[symbol]
	if !ok {
		return nil, p.fail("there is no operator %s", symbol)
	}
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return comparison{left: left, right: right, accepts: o.accepts, ifMissing: o.ifMissing}, nil
}

// patternFirst reads /regexp/ =~ operand.
func (p *parser) patternFirst() (condition, error) {
	pattern, err := p.pattern()
	if err != nil {
		return nil, err
	}
	if err := p.expect("=~"); err != nil {
		return nil, err
	}
	o, err := p.operand()
	if err != nil {
		return nil, err
	}
	return match{operand: o, regexp: pattern}, nil
}

// operator reads an operator. It returns "" where the condition ends.
func (p *parser) operator() string {
	p.space()
	start := p.at
	for strings.IndexByte("=!<>~", p.next()) >= 0 && p.next() != 0 {
		p.at++
	}
	if p.at == start {
		for c := p.next() | 0x20; 'a' <= c && c <= 'z'; c = p.next() | 0x20 {
			p.at++
		}
	}
	return strings.ToLower(p.text[start:p.at])
}

// pattern reads /regexp/flags.
func (p *parser) pattern() (*javaregexp.Regexp, error) {
	if err := p.expect("/"); err != nil {
		return nil, err
	}
	start, end := p.at, p.at
	for ; end < len(p.text) && p.text[end] != '/'; end++ {
		if p.text[end] == '\\' {
			end++
		}
	}
	if end >= len(p.text) {
		return nil, p.fail("/ without /")
	}
	p.at = end + 1
	flags := p.at
	for c := p.next() | 0x20; 'a' <= c && c <= 'z'; c = p.next() | 0x20 {
		p.at++
	}
	pattern, err := javaregexp.Compile(p.text[start:end], p.text[flags:p.at])
	if err != nil {
		return nil, p.fail("%w", err)
	}
	return pattern, nil
}

// operand reads a path or a literal.
func (p *parser) operand() (operand, error) {
	p.space()
	c := p.next()
	if c != '$' && c != '@' {
		literal, err := p.literal()
		return operand{literal: literal}, err
	}
	path, err := p.path()
	if err != nil || c == '@' {
		return operand{path: path, slot: -1}, err
	}
	p.slots++
	return operand{path: path, slot: p.slots - 1}, nil
}
