package vtl

import (
	"errors"
	"fmt"
	"strings"
)

// maxNesting is how deep blocks, expressions and strings may be nested.
const maxNesting = 200

// parser reads a source from its beginning to its end. It is one pass over the
// text, since what a character means depends on what is around it.
type parser struct {
	source  string
	pos     int
	places  places
	symbols *symbols
	macros  map[string]*macro // filled with the macros of the source
	nesting int
}

func newParser(source string, where places, s *symbols, macros map[string]*macro) *parser {
	return &parser{source: source, places: where, symbols: s, macros: macros}
}

// template reads the whole source.
func (p *parser) template() (block, error) {
	body, end, err := p.block()
	if err != nil {
		return nil, err
	}
	if end.name != "" {
		return nil, p.errorAt(end.start, "#%s without an #if, #foreach or other directive that it belongs to", end.name)
	}
	return body, nil
}

// ending is the directive that ends a block: #end, #else or #elseif, or none at
// the end of the source.
type ending struct {
	name  string
	start int
}

// block reads up to the next ending, and past its name.
func (p *parser) block() (block, ending, error) {
	if err := p.enter(); err != nil {
		return nil, ending{}, err
	}
	defer p.leave()
	var b builder
	for p.pos < len(p.source) {
		n, end, err := p.statement()
		if err != nil || end.name != "" {
			return b.block(), end, err
		}
		b.add(n)
	}
	return b.block(), ending{start: p.pos}, nil
}

// builder makes a block in which no two texts follow each other.
type builder struct {
	nodes block
	text  strings.Builder
}

func (b *builder) add(n node) {
	if n == nil {
		return
	}
	if t, ok := n.(text); ok {
		b.text.WriteString(string(t))
		return
	}
	b.nodes = append(b.block(), n)
}

func (b *builder) block() block {
	if b.text.Len() > 0 {
		b.nodes = append(b.nodes, text(b.text.String()))
		b.text.Reset()
	}
	return b.nodes
}

// statement reads one node, or the ending of the block. The node is nil for
// constructs that print and do nothing, such as comments.
func (p *parser) statement() (node, ending, error) {
	if n, ok, err := p.set(); ok || err != nil {
		return n, ending{}, err
	}
	var n node
	var err error
	switch p.source[p.pos] {
	case '\\':
		n, err = p.backslashes()
	case '$':
		n, err = p.dollar(0)
	case '#':
		return p.hash()
	default:
		n = p.plain()
	}
	return n, ending{}, err
}

// plain reads text up to a character that may begin something else.
func (p *parser) plain() node {
	start := p.pos
	if i := strings.IndexAny(p.source[p.pos:], `$#\`); i >= 0 {
		p.pos += i
	} else {
		p.pos = len(p.source)
	}
	return text(p.source[start:p.pos])
}

// enclosed reads the body of a directive that began at start, up to its #end.
func (p *parser) enclosed(start int, name string) (block, error) {
	body, end, err := p.block()
	switch {
	case err != nil:
		return nil, err
	case end.name == "":
		return nil, p.errorAt(start, "#%s has no #end", name)
	case end.name != "end":
		return nil, p.errorAt(end.start, "#%s where the #end of #%s is expected", end.name, name)
	}
	return body, nil
}

func (p *parser) enter() error {
	if p.nesting++; p.nesting > maxNesting {
		return p.errorAt(p.pos, "nested more than %d deep", maxNesting)
	}
	return nil
}

func (p *parser) leave() { p.nesting-- }

func (p *parser) at(offset int) place { return p.places.at(offset) }

func (p *parser) errorAt(offset int, format string, args ...any) error {
	return located(fmt.Errorf(format, args...), p.at(offset))
}

// unexpected is the error for the next character where wanted should be.
func (p *parser) unexpected(wanted string) error {
	if p.pos >= len(p.source) {
		return located(errors.New("the template ends where "+wanted+" is expected"), p.at(p.pos))
	}
	const shown = 12
	found := p.source[p.pos:]
	if len(found) > shown {
		found = found[:shown]
	}
	return p.errorAt(p.pos, "%q where %s is expected", found, wanted)
}

// peek reports whether the next byte of the source is c.
func (p *parser) peek(c byte) bool { return p.pos < len(p.source) && p.source[p.pos] == c }

// accept reads a prefix if it is there, and reports whether it was.
func (p *parser) accept(prefix string) bool {
	if strings.HasPrefix(p.source[p.pos:], prefix) {
		p.pos += len(prefix)
		return true
	}
	return false
}

// space goes past white space.
func (p *parser) space() {
	for p.pos < len(p.source) && isSpace(p.source[p.pos]) {
		p.pos++
	}
}

// gobble reads the rest of a line if that has only spaces, so that a directive
// at the end of a line does not leave an empty line in the output.
func (p *parser) gobble() {
	i := p.pos
	for i < len(p.source) && (p.source[i] == ' ' || p.source[i] == '\t') {
		i++
	}
	for _, end := range []string{"\r\n", "\n", "\r"} {
		if strings.HasPrefix(p.source[i:], end) {
			p.pos = i + len(end)
			return
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
