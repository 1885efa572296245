package jsonvalue

import (
	"errors"
	"unicode/utf8"
)

// ErrTooLarge is the error for a value whose text would be longer than
// allowed, or that is nested deeper than MaxDepth (as is one that contains
// itself).
var ErrTooLarge = errors.New("the value is too large to be printed")

// Append appends a value as compact JSON text, in the manner of Jackson: only
// quotes, backslashes and control characters are escaped. Values nested deeper
// than MaxDepth are written as null.
func Append(dst []byte, v any) []byte {
	p := printer{dst: dst, limit: -1}
	p.json(v, 0)
	return p.dst
}

// AppendWithin is Append with a limit, for values that may have been made to be
// very large. If the text would have more than limit bytes, or the value is
// nested deeper than MaxDepth, the error is ErrTooLarge.
func AppendWithin(dst []byte, v any, limit int) ([]byte, error) {
	p := printer{dst: dst, limit: len(dst) + limit}
	p.json(v, 0)
	return p.dst, p.err()
}

// printer appends the text of values to dst until it is longer than limit,
// unless limit is negative.
type printer struct {
	dst         []byte
	limit       int
	collections bool // lists are printed as Java's, not as JSON
	tooDeep     bool
}

func (p *printer) err() error {
	if p.tooDeep || p.full() {
		return ErrTooLarge
	}
	return nil
}

func (p *printer) full() bool {
	return p.limit >= 0 && len(p.dst) > p.limit
}

func (p *printer) text(s string) {
	p.dst = append(p.dst, s...)
}

// enter reports whether a value that is nested so deep is printed.
func (p *printer) enter(depth int) bool {
	if depth >= MaxDepth {
		p.tooDeep = true
		p.text("null")
		return false
	}
	return true
}

func (p *printer) json(v any, depth int) {
	switch v := v.(type) {
	case bool, Number:
		p.scalar(v)
	case string:
		p.dst = AppendQuoted(p.dst, v)
	case *List:
		p.list(v, depth)
	case *Object:
		p.object(v, depth)
	default:
		p.text("null")
	}
}

// scalar prints a value that looks the same in every style.
func (p *printer) scalar(v any) {
	switch v := v.(type) {
	case bool:
		if v {
			p.text("true")
		} else {
			p.text("false")
		}
	case Number:
		p.text(string(v))
	default:
		p.text("null")
	}
}

func (p *printer) list(l *List, depth int) {
	if !p.enter(depth) {
		return
	}
	p.text("[")
	for i, item := range l.Items {
		if p.full() {
			return
		}
		if i > 0 {
			p.text(",")
		}
		p.json(item, depth+1)
	}
	p.text("]")
}

func (p *printer) object(o *Object, depth int) {
	if !p.enter(depth) {
		return
	}
	p.text("{")
	for i, m := range o.members {
		if p.full() {
			return
		}
		if i > 0 {
			p.text(",")
		}
		p.dst = AppendQuoted(p.dst, m.name)
		p.text(":")
		p.json(m.value, depth+1)
	}
	p.text("}")
}

// AppendQuoted appends a string as JSON text. Bytes that are not UTF-8 become
// U+FFFD.
func AppendQuoted[Text string | []byte](dst []byte, s Text) []byte {
	const hex = "0123456789ABCDEF"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = utf8.AppendRune(dst, r)
				start = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
