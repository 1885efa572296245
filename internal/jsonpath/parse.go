package jsonpath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parser reads paths, filters and literals. Its methods move at behind the text
// that they have read.
type parser struct {
	text   string
	at     int
	nested int // filters, parentheses and arguments around the current place
	slots  int
}

func (p *parser) fail(format string, arguments ...any) error {
	return fmt.Errorf("at %d: "+format, append([]any{p.at}, arguments...)...)
}

// next is the current byte, or 0 at the end.
func (p *parser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// skip reads a text if it comes next, and reports whether it did.
func (p *parser) skip(text string) bool {
	if !strings.HasPrefix(p.text[p.at:], text) {
		return false
	}
	p.at += len(text)
	return true
}

// expect reads a text and the space in front of it.
func (p *parser) expect(text string) error {
	p.space()
	if !p.skip(text) {
		return p.fail("expected %s", text)
	}
	return nil
}

// enter counts a level of nesting; leave must follow.
func (p *parser) enter() error {
	if p.nested++; p.nested > maxNested {
		return p.fail("nested too deep")
	}
	return nil
}

func (p *parser) leave() { p.nested-- }

func newPath(steps []step) *Path {
	path := &Path{steps: steps, definite: true, plain: true}
	for i, s := range steps {
		path.definite = path.definite && s.definite(i == len(steps)-1)
		path.plain = path.plain && isPlain(s)
	}
	return path
}

func isPlain(s step) bool {
	switch s := s.(type) {
	case names:
		return len(s) == 1
	case indexes:
		return len(s) == 1
	}
	return false
}

// path reads a path from its $ or @ on. A nested one ends before the first
// character that cannot belong to it.
func (p *parser) path() (*Path, error) {
	p.at++
	var steps []step
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case '.':
			if p.skip("..") {
				steps = append(steps, scan{})
			} else {
				p.at++
			}
		case '[':
		default:
			if p.nested == 0 {
				return nil, p.fail("expected . or [")
			}
			return p.finish(steps)
		}
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return p.finish(steps)
}

func (p *parser) finish(steps []step) (*Path, error) {
	steps, err := invert(steps)
	if err != nil {
		return nil, p.fail("%w", err)
	}
	return newPath(steps), nil
}

// step reads what follows a dot, or a bracket.
func (p *parser) step() (step, error) {
	switch {
	case p.at == len(p.text):
		return nil, p.fail("a path must not end with a dot")
	case p.next() == '[':
		return p.bracket()
	case p.skip("*"):
		return wildcard{}, nil
	}
	start := p.at
	for p.at < len(p.text) && !p.endsName(p.text[p.at]) {
		p.at++
	}
	name := p.text[start:p.at]
	switch {
	case name == "":
		return nil, p.fail("expected a name")
	case p.next() == '(':
		return p.call(name)
	case p.nested == 0 && p.next() == ' ':
		return nil, p.fail("a name with blanks is written ['a b']")
	}
	return names{name}, nil
}

func (p *parser) endsName(c byte) bool {
	return strings.IndexByte(".[( ", c) >= 0 || p.nested > 0 && strings.IndexByte("<>=!~&|),]\t\r\n", c) >= 0
}

// bracket reads [names], [indexes], [slice], [*] or [?(filter)].
func (p *parser) bracket() (step, error) {
	p.at++
	p.space()
	var s step
	var err error
	switch c := p.next(); {
	case c == '\'' || c == '"':
		s, err = p.names()
	case c == '?':
		p.at++
		s, err = p.filter()
	case c == '*':
		p.at++
		s = wildcard{}
	case c == '-' || c == ':' || '0' <= c && c <= '9':
		s, err = p.numbers()
	default:
		return nil, p.fail("expected a name in quotes, an index, a slice, * or ?( behind [")
	}
	if err != nil {
		return nil, err
	}
	return s, p.expect("]")
}

func (p *parser) names() (step, error) {
	var s names
	for {
		p.space()
		if c := p.next(); c != '\'' && c != '"' {
			return nil, p.fail("expected a name in quotes")
		}
		name, err := p.quoted()
		if err != nil {
			return nil, err
		}
		s = append(s, name)
		if p.space(); !p.skip(",") {
			return s, nil
		}
	}
}

// numbers reads the indexes or the slice in brackets.
func (p *parser) numbers() (step, error) {
	length := strings.IndexByte(p.text[p.at:], ']')
	if length < 0 {
		return nil, p.fail("[ without ]")
	}
	text := strings.TrimSpace(p.text[p.at : p.at+length])
	s, err := parseIndexes(text)
	if strings.Contains(text, ":") {
		s, err = parseSlice(text)
	}
	if err != nil {
		return nil, p.fail("[%s]: %w", text, err)
	}
	p.at += length
	return s, nil
}

func parseIndexes(text string) (step, error) {
	var s indexes
	for part := range strings.SplitSeq(text, ",") {
		i, err := parseIndex(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		s = append(s, i)
	}
	return s, nil
}

func parseSlice(text string) (step, error) {
	var s slice
	parts := append(strings.Split(text, ":"), "")
	for i, bound := range []struct {
		value *int
		has   *bool
	}{{&s.from, &s.hasFrom}, {&s.to, &s.hasTo}} {
		if parts[i] == "" {
			continue
		}
		n, err := parseIndex(parts[i])
		if err != nil {
			return nil, err
		}
		*bound.value, *bound.has = n, true
	}
	if !s.hasFrom && !s.hasTo {
		return nil, errors.New("a slice needs a bound")
	}
	for _, rest := range parts[2:] { // the step, which does nothing
		if rest != "" {
			if _, err := parseIndex(rest); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func parseIndex(text string) (int, error) {
	i, err := strconv.ParseInt(text, 10, 32)
	if err != nil || text[0] == '+' {
		return 0, fmt.Errorf("%q is not an index", text)
	}
	return int(i), nil
}

// call reads the arguments of a function.
func (p *parser) call(name string) (step, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.at++
	var arguments []operand
	for p.space(); !p.skip(")"); p.space() {
		if len(arguments) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		argument, err := p.operand()
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
	}
	s, err := newCall(name, arguments)
	if err != nil {
		return nil, p.fail("%w", err)
	}
	return s, nil
}
