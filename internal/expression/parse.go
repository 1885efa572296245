package expression

import (
	"fmt"
	"strconv"
	"strings"
)

const body = "request.body"

// Parse reads a selection expression: literal text, variables written
// $request.body.path or ${request.body.path}, and \$ for a dollar.
func Parse(source string) (*Expression, error) {
	if source == "" {
		return nil, fmt.Errorf("the expression is empty")
	}
	p := parser{rest: source}
	for p.rest != "" {
		if err := p.next(); err != nil {
			return nil, fmt.Errorf("selection expression %q: %w", source, err)
		}
	}
	p.flush()
	return &Expression{parts: p.parts}, nil
}

type parser struct {
	rest    string
	literal strings.Builder
	parts   []part
}

func (p *parser) next() error {
	switch {
	case strings.HasPrefix(p.rest, `\$`):
		p.literal.WriteByte('$')
		p.rest = p.rest[2:]
	case strings.HasPrefix(p.rest, "${"):
		end := strings.IndexByte(p.rest, '}')
		if end < 0 {
			return fmt.Errorf("${ without }")
		}
		name := p.rest[2:end]
		p.rest = p.rest[end+1:]
		return p.variable(name)
	case p.rest[0] == '$':
		n := 1 + variableLength(p.rest[1:])
		name := p.rest[1:n]
		p.rest = p.rest[n:]
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

func (p *parser) variable(name string) error {
	p.flush()
	if name == body {
		p.parts = append(p.parts, part{whole: true})
		return nil
	}
	path, found := strings.CutPrefix(name, body)
	if !found || (path[0] != '.' && path[0] != '[') {
		return fmt.Errorf("variable %q must be of the form request.body.{path}", name)
	}
	segments, err := segments(path)
	if err != nil {
		return err
	}
	p.parts = append(p.parts, part{path: strings.Join(segments, ".")})
	return nil
}

// variableLength is how far a variable without braces reaches.
func variableLength(s string) int {
	n := 0
	for n < len(s) {
		switch c := s[n]; {
		case isNameByte(c):
			n++
		case c == '.' && n+1 < len(s) && isNameByte(s[n+1]):
			n++
		case c == '[':
			end := strings.IndexByte(s[n:], ']')
			if end < 0 {
				return n
			}
			n += end + 1
		default:
			return n
		}
	}
	return n
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 0x80 ||
		'0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// segments splits ".a.b[0]['c d']" and quotes each part for gjson.
func segments(path string) ([]string, error) {
	var out []string
	for path != "" {
		var name string
		switch {
		case path[0] == '.':
			path = path[1:]
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			name, path = path[:end], path[end:]
			if name == "" || name == "*" {
				return nil, fmt.Errorf("wildcards and deep scans cannot select")
			}
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return nil, fmt.Errorf("[ without ]")
			}
			var err error
			if name, err = bracket(path[1:end]); err != nil {
				return nil, err
			}
			path = path[end+1:]
		default:
			return nil, fmt.Errorf("expected . or [ before %q", path)
		}
		out = append(out, quote(name))
	}
	return out, nil
}

// bracket reads what stands between brackets: an index or a quoted name.
func bracket(s string) (string, error) {
	if n := len(s); n >= 2 && (s[0] == '\'' || s[0] == '"') && s[n-1] == s[0] {
		return s[1 : n-1], nil
	}
	if _, err := strconv.ParseUint(s, 10, 31); err != nil {
		return "", fmt.Errorf("[%s] is neither an index nor a quoted name", s)
	}
	return s, nil
}

// quote escapes what gjson would take for syntax.
func quote(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; c < 0x80 && c != '_' && c != ' ' && !isNameByte(c) {
			b.WriteByte('\\')
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
