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

// ParseAt reads an expression that is written at a place, and refuses what
// that place does not take.
func ParseAt(place Place, source string) (*Expression, error) {
	if source == "" {
		return nil, errors.New("the expression is empty")
	}
	p := parser{rest: source, rule: rules[place]}
	if p.rule.fallback && (source == "$default" || source == `\$default`) {
		return &Expression{parts: []part{{literal: "$default"}}}, nil
	}
	err := p.parse()
	if err == nil {
		err = p.rule.check(p.parts)
	}
	if err != nil {
		return nil, fmt.Errorf("selection expression %q: %w", source, err)
	}
	return &Expression{parts: p.parts}, nil
}

type parser struct {
	rest    string
	rule    rule
	literal strings.Builder
	parts   []part
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
		return p.variable(name)
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

// variable adds the variable of a name, if the place takes it.
func (p *parser) variable(name string) error {
	p.flush()
	for _, v := range variables {
		rest, ok := strings.CutPrefix(name, v.form)
		if !ok || !slices.Contains(p.rule.variables, v.variable) {
			continue
		}
		parsed := part{variable: v.variable}
		if v.variable == requestBody || v.variable == responseBody {
			if rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			if err := parsed.parsePath(rest); err != nil {
				return err
			}
		} else if ok, err := parsed.parseName(v.form, rest); err != nil {
			return err
		} else if !ok {
			continue
		}
		p.parts = append(p.parts, parsed)
		return nil
	}
	return fmt.Errorf("variable $%s is not known here; it must be %s", name, p.rule.allowed())
}

// parsePath reads what follows a body.
func (p *part) parsePath(rest string) error {
	if rest == "" {
		return nil
	}
	path, err := jsonpath.Compile("$" + rest)
	if err != nil {
		return err
	}
	p.path = path
	p.keys, _ = path.Keys()
	return nil
}

// parseName reads what follows any other variable, and tells whether the form
// fits.
func (p *part) parseName(form, rest string) (bool, error) {
	switch {
	case !strings.HasSuffix(form, "."):
		return rest == "", nil
	case p.variable == context:
		p.name = rest
		return rest == usageIdentifier, nil
	case rest == "" || nameLength(rest) != len(rest):
		return false, fmt.Errorf("%q is not the name of a header", rest)
	}
	p.name = rest
	return true, nil
}

// nameLength is how far a header's name reaches.
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
