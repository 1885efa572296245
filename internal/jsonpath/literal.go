package jsonpath

import (
	"strings"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// literal reads a value in a path: JSON whose strings may be in single quotes.
func (p *parser) literal() (any, error) {
	p.space()
	switch c := p.next(); {
	case c == '\'' || c == '"':
		return p.quoted()
	case c == '[':
		return p.listLiteral()
	case c == '{':
		return p.objectLiteral()
	case c == '-' || '0' <= c && c <= '9':
		return p.numberLiteral()
	case p.skip("true"):
		return true, nil
	case p.skip("false"):
		return false, nil
	case p.skip("null"):
		return nil, nil
	}
	return nil, p.fail("expected a path, a string, a number, true, false, null or an array")
}

func (p *parser) numberLiteral() (any, error) {
	start := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.0123456789eE", p.text[p.at]) >= 0 {
		p.at++
	}
	v, err := jsonvalue.Parse([]byte(p.text[start:p.at]))
	if err != nil {
		return nil, p.fail("%s is not a number", p.text[start:p.at])
	}
	return v, nil
}

func (p *parser) listLiteral() (any, error) {
	list := &jsonvalue.List{}
	err := p.items("]", func() error {
		item, err := p.literal()
		list.Add(item)
		return err
	})
	return list, err
}

func (p *parser) objectLiteral() (any, error) {
	object := &jsonvalue.Object{}
	err := p.items("}", func() error {
		if c := p.next(); c != '\'' && c != '"' {
			return p.fail("expected a name in quotes")
		}
		name, err := p.quoted()
		if err != nil {
			return err
		}
		if err := p.expect(":"); err != nil {
			return err
		}
		value, err := p.literal()
		object.Set(name, value)
		return err
	})
	return object, err
}

// items reads items separated by commas, from the current bracket up to its
// end.
func (p *parser) items(end string, read func() error) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	p.at++
	if p.space(); p.skip(end) {
		return nil
	}
	for {
		p.space()
		if err := read(); err != nil {
			return err
		}
		if p.space(); !p.skip(",") {
			return p.expect(end)
		}
	}
}

// quoted reads a string in single or double quotes. Escapes are those of Java's
// strings; any other character behind a backslash stands for itself.
func (p *parser) quoted() (string, error) {
	quote := p.next()
	p.at++
	var b strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch c {
		case quote:
			return b.String(), nil
		case '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail("%c without %c", quote, quote)
}

// escape reads what follows a backslash.
func (p *parser) escape(b *strings.Builder) error {
	r, size := utf8.DecodeRuneInString(p.text[p.at:])
	p.at += size
	switch i := strings.IndexRune("bfnrt", r); {
	case size == 0:
		return p.fail("nothing behind \\")
	case r == 'u':
		return p.unicode(b)
	case i >= 0:
		b.WriteByte("\b\f\n\r\t"[i])
	default:
		b.WriteRune(r)
	}
	return nil
}

// unicode reads the four digits of \uXXXX, and a second \uXXXX if both are
// halves of a surrogate pair.
func (p *parser) unicode(b *strings.Builder) error {
	end := min(p.at+4, len(p.text))
	if rest := p.text[end:]; strings.HasPrefix(rest, `\u`) && len(rest) >= 6 {
		if pair, err := jsonvalue.Parse([]byte(`"\u` + p.text[p.at:end] + rest[:6] + `"`)); err == nil {
			if s := pair.(string); utf8.RuneCountInString(s) == 1 {
				b.WriteString(s)
				p.at = end + 6
				return nil
			}
		}
	}
	v, err := jsonvalue.Parse([]byte(`"\u` + p.text[p.at:end] + `"`))
	text, ok := v.(string)
	if err != nil || !ok {
		return p.fail("expected four hexadecimal digits behind \\u")
	}
	b.WriteString(text)
	p.at = end
	return nil
}
