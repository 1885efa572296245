package jsonvalue

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError is the error for a text that is not JSON.
type SyntaxError struct {
	Offset  int // of the offending byte, from 0
	Problem string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON at offset %d: %s", e.Offset, e.Problem)
}

// Parse reads JSON text (RFC 8259) that holds one value. Of several members
// with the same name, the last value counts, at the place of the first. Bytes
// that are not UTF-8, and halves of surrogate pairs, become U+FFFD. The error
// is a *SyntaxError, also for text nested deeper than MaxDepth.
//
// The value does not refer to text.
func Parse(text []byte) (any, error) {
	p, _ := parsers.Get().(*parser)
	defer p.release()
	p.text = toValid(text)
	p.space()
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.fail("text after the value")
	}
	return value, nil
}

// toValid copies text, each byte that is not UTF-8 replaced.
func toValid(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}
	return string([]rune(string(text)))
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// release returns the parser to the pool, without memory that is too large to
// be kept.
func (p *parser) release() {
	const most = 256
	if cap(p.members) > most || cap(p.items) > most {
		return
	}
	clear(p.members)
	clear(p.items)
	*p = parser{members: p.members[:0], items: p.items[:0]}
	parsers.Put(p)
}

// parser reads values out of text; strings without escapes are parts of it.
type parser struct {
	text string
	at   int

	// The members and items read so far of all objects and arrays that are
	// being read, the innermost last. An object or array is made when its end
	// is read, with its exact size.
	members []member
	items   []any
}

func (p *parser) fail(problem string) error {
	if p.at >= len(p.text) {
		problem = "unexpected end"
	}
	return &SyntaxError{Offset: p.at, Problem: problem}
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next is the current byte, or 0 at the end.
func (p *parser) next() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value(depth int) (any, error) {
	switch c := p.next(); {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.list(depth + 1)
	case c == '"':
		return boxed(p.string())
	case c == 't':
		return p.word("true", true)
	case c == 'f':
		return p.word("false", false)
	case c == 'n':
		return p.word("null", nil)
	case c == '-' || '0' <= c && c <= '9':
		return boxed(p.number())
	}
	return nil, p.fail("no value begins like this")
}

// boxed keeps a value that could not be read from becoming one.
func boxed[T any](value T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return value, nil
}

func (p *parser) word(word string, value any) (any, error) {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return nil, p.fail("no value begins like this")
	}
	p.at += len(word)
	return value, nil
}

func (p *parser) object(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, p.fail("nested too deep")
	}
	p.at++
	if p.space(); p.next() == '}' {
		p.at++
		return new(Object), nil
	}
	first := len(p.members)
	for {
		if p.space(); p.next() != '"' {
			return nil, p.fail(`expected a name in quotes`)
		}
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		if p.space(); p.next() != ':' {
			return nil, p.fail("expected :")
		}
		p.at++
		p.space()
		value, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		p.members = append(p.members, member{name, value})
		more, err := p.more('}')
		if err != nil {
			return nil, err
		}
		if !more {
			o := objectOf(p.members[first:])
			clear(p.members[first:])
			p.members = p.members[:first]
			return o, nil
		}
	}
}

// objectOf makes an object of what was read of it.
func objectOf(read []member) *Object {
	o := NewObject(len(read))
	for _, m := range read {
		o.Set(m.name, m.value)
	}
	return o
}

func (p *parser) list(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, p.fail("nested too deep")
	}
	p.at++
	if p.space(); p.next() == ']' {
		p.at++
		return new(List), nil
	}
	first := len(p.items)
	for {
		p.space()
		item, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		p.items = append(p.items, item)
		more, err := p.more(']')
		if err != nil {
			return nil, err
		}
		if !more {
			l := copyOf(p.items[first:])
			clear(p.items[first:])
			p.items = p.items[:first]
			return l, nil
		}
	}
}

// more reads what follows an item: a comma, or the end of the array or object.
func (p *parser) more(end byte) (bool, error) {
	p.space()
	switch p.next() {
	case ',':
		p.at++
		return true, nil
	case end:
		p.at++
		return false, nil
	}
	return false, p.fail("expected , or " + string(end))
}

func (p *parser) number() (Number, error) {
	start := p.at
	if p.next() == '-' {
		p.at++
	}
	if p.next() == '0' {
		p.at++
	} else if err := p.digits(); err != nil {
		return "", err
	}
	if p.next() == '.' {
		p.at++
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	if c := p.next(); c == 'e' || c == 'E' {
		p.at++
		if c := p.next(); c == '+' || c == '-' {
			p.at++
		}
		if err := p.digits(); err != nil {
			return "", err
		}
	}
	return Number(p.text[start:p.at]), nil
}

func (p *parser) digits() error {
	start := p.at
	for '0' <= p.next() && p.next() <= '9' {
		p.at++
	}
	if p.at == start {
		return p.fail("expected a digit")
	}
	return nil
}

// string reads a string whose opening quote is at hand.
func (p *parser) string() (string, error) {
	p.at++
	start, text := p.at, p.text
	for i := start; i < len(text); i++ {
		c := text[i]
		if c > '\\' || c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		p.at = i
		switch c {
		case '"':
			p.at++
			return text[start:i], nil
		case '\\':
			return p.escaped(start)
		}
		return "", p.fail("control character in a string")
	}
	p.at = len(text)
	return "", p.fail("")
}

// escaped reads a string on from its first escape.
func (p *parser) escaped(start int) (string, error) {
	buffer := append(make([]byte, 0, p.at-start+32), p.text[start:p.at]...)
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return string(buffer), nil
		case c < ' ':
			return "", p.fail("control character in a string")
		case c != '\\':
			buffer = append(buffer, c)
			p.at++
		default:
			p.at++
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			buffer = utf8.AppendRune(buffer, r)
		}
	}
	return "", p.fail("")
}

// escape reads what follows a backslash.
func (p *parser) escape() (rune, error) {
	c := p.next()
	if c == 'u' {
		return p.unicode()
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if c == 0 || i < 0 {
		return 0, p.fail("no escape is written like this")
	}
	p.at++
	return rune("\"\\/\b\f\n\r\t"[i]), nil
}

// unicode reads uXXXX, and the second half of a pair with it.
func (p *parser) unicode() (rune, error) {
	r, err := p.hex()
	if err != nil || !utf16.IsSurrogate(r) {
		return r, err
	}
	if strings.HasPrefix(p.text[p.at:], `\u`) {
		second := *p
		second.at++
		low, err := second.hex()
		if err != nil {
			return 0, err
		}
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.at = second.at
			return pair, nil
		}
	}
	return utf8.RuneError, nil
}

func (p *parser) hex() (rune, error) {
	p.at++ // the u
	var r rune
	for range 4 {
		switch c := p.next(); {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, p.fail("expected four hexadecimal digits")
		}
		p.at++
	}
	return r, nil
}
