package vtl

import (
	"strconv"
	"strings"
)

// stringLiteral reads a string in single quotes, which is taken literally, or
// in double quotes, which is a template of its own.
func (p *parser) stringLiteral() (expression, error) {
	start := p.pos
	quote := p.source[start]
	end := stringEnd(p.source[start:])
	if end < 0 {
		return nil, p.errorAt(start, "the string has no end")
	}
	p.pos += end + 1
	content := p.source[start+1 : start+end]
	if quote == '"' {
		content = unescapeUnicode(content)
	}
	q := string(quote)
	content = strings.ReplaceAll(content, q+q, q)
	if quote == '\'' || !strings.ContainsAny(content, "$#") {
		return &constant{constant: content}, nil
	}
	inner := newParser(content, places{fixed: p.at(start)}, p.symbols, p.macros)
	inner.nesting = p.nesting
	body, err := inner.template()
	if err != nil {
		return nil, err
	}
	switch len(body) {
	case 0:
		return &constant{constant: ""}, nil
	case 1:
		if t, ok := body[0].(text); ok {
			return &constant{constant: string(t)}, nil
		}
	}
	return &stringTemplate{body: body}, nil
}

// stringEnd returns the offset of the quote that ends a string, or -1. A
// doubled quote stands for one quote; a backslash escapes nothing.
func stringEnd(s string) int {
	quote := s[0]
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			continue
		}
		if i+1 == len(s) || s[i+1] != quote {
			return i
		}
		i++
	}
	return -1
}

// unescapeUnicode replaces \uXXXX, the only escape that strings have.
func unescapeUnicode(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, `\u`)
		if i < 0 || i+6 > len(s) {
			break
		}
		if code, err := strconv.ParseUint(s[i+2:i+6], 16, 16); err == nil {
			b.WriteString(s[:i])
			b.WriteRune(rune(code))
		} else {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		s = s[i+6:]
	}
	if b.Len() == 0 {
		return s
	}
	b.WriteString(s)
	return b.String()
}
