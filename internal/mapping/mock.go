package mapping

import (
	"errors"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
)

// maxMockDepth is how deep the values of a mock's request may be nested.
const maxMockDepth = 100

// MockStatus reads the status code out of what the request template of a MOCK
// integration made: an object with an integer statusCode between 100 and 599.
// The object is read leniently, as API Gateway does: names and texts may stand
// in single quotes or without any, and commas may be missing, or too many at
// the end.
func MockStatus(request []byte) (int, *failure.Error) {
	p := mockParser{text: request}
	word, err := p.object(0)
	if p.space(); err == nil && p.pos < len(p.text) {
		err = errors.New("text follows the object")
	}
	status, notInteger := strconv.Atoi(string(word))
	if err == nil && notInteger == nil && 100 <= status && status <= 599 {
		return status, nil
	}
	if err != nil {
		return 0, configurationError("%s: %w", mockReason, err)
	}
	return 0, configurationError("%s; it is %.40q", mockReason, word)
}

const mockReason = "mock integration: statusCode should be an integer defined in the request template"

// mockParser reads an object leniently and keeps nothing of it but the status
// code.
type mockParser struct {
	text []byte
	pos  int
}

// object reads an object and gives its statusCode as it is written, with
// quotes, or nothing when it has none or it is an object or a list.
func (p *mockParser) object(depth int) (status []byte, err error) {
	if !p.take('{') {
		return nil, errors.New("no object")
	}
	for !p.take('}') {
		if p.take(',') {
			continue
		}
		name, err := p.scalar()
		if err != nil {
			return nil, err
		}
		if !p.take(':') {
			return nil, errors.New("no colon behind a name")
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		switch string(name) {
		case `statusCode`, `"statusCode"`, `'statusCode'`:
			status = value
		}
	}
	return status, nil
}

func (p *mockParser) value(depth int) ([]byte, error) {
	if depth > maxMockDepth {
		return nil, errors.New("values are nested too deep")
	}
	p.space()
	switch {
	case p.at('{'):
		_, err := p.object(depth)
		return nil, err
	case p.take('['):
		return nil, p.list(depth)
	}
	return p.scalar()
}

// list reads a list behind its bracket.
func (p *mockParser) list(depth int) error {
	for !p.take(']') {
		if p.take(',') {
			continue
		}
		if _, err := p.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// scalar reads a text in quotes, which it keeps, or a bare word.
func (p *mockParser) scalar() ([]byte, error) {
	p.space()
	start := p.pos
	if p.at('"') || p.at('\'') {
		return p.quoted(p.text[start])
	}
	for p.pos < len(p.text) && strings.IndexByte("{}[]:,\"' \t\r\n", p.text[p.pos]) < 0 {
		p.pos++
	}
	if p.pos == start {
		return nil, errors.New("a name or a value is missing")
	}
	return p.text[start:p.pos], nil
}

func (p *mockParser) quoted(quote byte) ([]byte, error) {
	start := p.pos
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\\':
			p.pos++
		case quote:
			p.pos++
			return p.text[start:p.pos], nil
		}
	}
	p.pos = len(p.text)
	return nil, errors.New("a quote is not closed")
}

func (p *mockParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *mockParser) at(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// take goes over space and one character, if it is there.
func (p *mockParser) take(c byte) bool {
	p.space()
	if !p.at(c) {
		return false
	}
	p.pos++
	return true
}
