package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
)

// usageIdentifier is the only context variable that an expression may have.
const usageIdentifier = "authorizer.usageIdentifierKey"

// Parse reads a route selection expression.
func Parse(source string) (*Expression, error) {
	return ParseAt(RouteSelection, source)
}

// ParseAt reads an expression that is written at a place. It returns an error
// for parts that are not allowed at that place.
func ParseAt(place Place, source string) (*Expression, error) {
	if source == "" {
		return nil, errors.New("the expression is empty")
	}
	p := parser{rest: source, rule: rules[place]}
	if p.rule.fallback && (source == "$default" || source == `\$default`) {
		return &Expression{source: source, parts: []part{{literal: "$default"}}}, nil
	}
	err := p.parse()
	if err == nil {
		err = p.rule.check(p.parts)
	}
	if err != nil {
		return nil, fmt.Errorf("selection expression %q: %w", source, err)
	}
	return &Expression{source: source, parts: p.parts, doubts: p.doubts}, nil
}

type parser struct {
	rest    string
	rule    rule
	literal strings.Builder
	parts   []part
	doubts  []string
}

func (p *parser) parse() error {
	for p.rest != "" {
		if err := p.next(); err != nil {
			return err
		}
	}
	p.flush()
	return nil
}

func (p *parser) next() error {
	switch {
	case strings.HasPrefix(p.rest, `\$`):
		p.literal.WriteByte('$')
		p.rest = p.rest[2:]
	case strings.HasPrefix(p.rest, "${"):
		name, rest, ok := cutWrapped(p.rest[2:])
		if !ok {
			return errors.New("${ without }")
		}
		p.rest = rest
		return p.variable(name)
	case p.rest[0] == '$':
		name, rest := cutUnwrapped(p.rest[1:])
		p.rest = rest
		if err := p.variable(name); err != nil {
			return err
		}
		return p.checkEnd(name)
	default:
		p.literal.WriteByte(p.rest[0])
		p.rest = p.rest[1:]
	}
	return nil
}

func (p *parser) flush() {
	if p.literal.Len() > 0 {
		p.parts = append(p.parts, part{literal: p.literal.String()})
		p.literal.Reset()
	}
}

// variable adds the variable with a name. It returns an error if the place does
// not have it.
func (p *parser) variable(name string) error {
	p.flush()
	for _, f := range forms {
		rest, ok := strings.CutPrefix(name, f.prefix)
		if !ok || !slices.Contains(p.rule.variables, f.variable) {
			continue
		}
		part, ok, err := f.parse(rest)
		if err != nil {
			return err
		}
		if ok {
			p.parts = append(p.parts, part)
			p.doubtList(name, part)
			return nil
		}
	}
	return fmt.Errorf("variable $%s is not known here; it must be %s", name, p.rule.allowed())
}

// parse reads the text behind the prefix. fits reports whether it has the form.
func (f form) parse(rest string) (p part, fits bool, err error) {
	p.variable = f.variable
	switch f.variable {
	case requestBody, responseBody:
		if rest == "" {
			return p, true, nil
		}
		if rest[0] != '.' && rest[0] != '[' {
			return p, false, nil
		}
		if p.path, err = jsonpath.Compile("$" + rest); err != nil {
			return p, false, err
		}
		p.keys, _ = p.path.Keys()
		return p, true, nil
	case requestHeader, responseHeader, responseHeaders:
		if rest == "" || nameLength(rest) != len(rest) {
			return p, false, fmt.Errorf("%q is not the name of a header", rest)
		}
		p.name = rest
		return p, true, nil
	case context:
		p.name = rest
		return p, rest == usageIdentifier, nil
	}
	return p, rest == "", nil
}

// nameLength returns the length of the header's name that s begins with.
func nameLength(s string) int {
	n := 0
	for n < len(s) && (isNameByte(s[n]) || s[n] == '-') {
		n++
	}
	return n
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 0x80 ||
		'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
