package httpclient

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	// MaxResponseBytes is the largest body of an answer.
	MaxResponseBytes = 10 << 20
	// maxAnswerHeader is how many bytes the head of an answer may have, the hints
	// before it included.
	maxAnswerHeader = 64 << 10
	// maxTrusted is how many bytes of a body get their memory because the answer
	// announces them. The rest gets it when these have come.
	maxTrusted = 64 << 10
	// minDirect is how many bytes of a body must be missing to be read straight
	// into it.
	minDirect = 4 << 10
)

var (
	// ErrTooLarge is the error for an answer with a larger body.
	ErrTooLarge  = fmt.Errorf("the answer is larger than %d bytes", MaxResponseBytes)
	errNoAnswer  = errors.New("the backend closed the connection without an answer")
	errSwitched  = errors.New("the backend switched protocols") // HTTP ends with such an answer
	errLongHead  = errors.New("the header of the answer is too large")
	errCutAnswer = errors.New("the backend closed the connection within its answer")
)

// parser reads one answer from the pieces in which it comes: whoever has read
// some bytes feeds them to it. It never waits.
type parser struct {
	method     string // of the request
	withHeader bool   // the answer's header is wanted

	part part
	room int        // bytes that the head may still have; later, those of the trailer
	kept []byte     // the beginning of a head or of a line whose end has not come yet
	head answerHead // set when part is behind it
	left int        // bytes that are missing of the body, or of the chunk
	junk int        // bytes of chunks' lines beyond the usual: see maxNonData
	body []byte
}

// part is what comes next in an answer.
type part int

const (
	partHead part = iota
	partBody
	partChunkLine
	partChunk
	partChunkEnd
	partTrailer
	partRest // the body goes on until the connection ends
	partNone // the answer is whole
)

// begin makes the parser ready for the answer to a request with a method. The body
// is put into the capacity of the slice as far as it fits there.
func (p *parser) begin(method string, withHeader bool, body []byte) {
	*p = parser{method: method, withHeader: withHeader, room: maxAnswerHeader, kept: p.kept[:0], body: body[:0]}
}

// feed takes the next bytes of the connection, and reports whether the answer is
// whole. The rest is what came behind it. The bytes are the caller's again when
// feed returns.
func (p *parser) feed(b []byte) (rest []byte, whole bool, err error) {
	for p.part != partNone {
		var more bool
		if b, more, err = p.step(b); err != nil {
			return nil, false, p.describe(err)
		} else if more {
			return nil, false, nil
		}
	}
	return b, true, nil
}

// step takes what comes next from the bytes, and returns the others. There must be
// more of them to go on where that has not come to its end.
func (p *parser) step(b []byte) (rest []byte, more bool, err error) {
	switch p.part {
	case partHead:
		return p.readHead(b)
	case partBody:
		if b = p.take(b); p.left == 0 {
			p.part = partNone
		}
		return b, p.left > 0, nil
	case partRest:
		if len(p.body)+len(b) > MaxResponseBytes {
			return nil, false, ErrTooLarge
		}
		p.body = append(p.body, b...)
		return nil, true, nil
	default:
		return p.readChunks(b)
	}
}

// readHead reads the head of the answer. Hints before it (statuses below 200) are
// skipped.
func (p *parser) readHead(b []byte) (rest []byte, more bool, err error) {
	block, rest, err := p.block(b)
	if block == nil {
		return nil, true, err
	}
	p.room -= len(block)
	head, err := parseHead(block, p.withHeader)
	switch {
	case err != nil:
		return nil, false, err
	case head.status == http.StatusSwitchingProtocols:
		return nil, false, errSwitched
	case head.status < 200: // a hint on the way to the answer
		return rest, false, nil
	}
	if err := head.settle(p.method); err != nil {
		return nil, false, err
	}
	p.head = head
	switch {
	case head.chunked:
		p.part = partChunkLine
	case head.length > MaxResponseBytes:
		return nil, false, ErrTooLarge
	case head.length < 0:
		p.part = partRest
	case head.length == 0:
		p.part = partNone
	default:
		p.part, p.left = partBody, int(head.length)
		p.reserve(min(p.left, maxTrusted))
	}
	return rest, false, nil
}

// block returns the lines up to an empty one, which is included, and what follows
// them; nil where that line has not come yet. It is valid until the next call.
func (p *parser) block(b []byte) (block, rest []byte, err error) {
	before := len(p.kept)
	all := b[:min(len(b), p.room-before)]
	if before > 0 {
		p.kept = append(p.kept, all...)
		all = p.kept
	}
	end := blockEnd(all, max(before-2, 0)) // its end may have begun there
	switch {
	case end > 0:
		p.kept = p.kept[:0]
		return all[:end], b[end-before:], nil
	case len(all) >= p.room:
		return nil, nil, errLongHead
	case before == 0:
		p.kept = append(p.kept, all...)
	}
	return nil, nil, nil
}

// take adds bytes to the body, as far as they belong to it, and returns the others.
func (p *parser) take(b []byte) (rest []byte) {
	n := min(p.left, len(b))
	p.reserve(n)
	p.body = append(p.body, b[:n]...)
	p.left -= n
	return b[n:]
}

// reserve makes room for the next n bytes of the body. Where it has to make a new
// place for it, and much of what was announced has come, that has room for all.
func (p *parser) reserve(n int) {
	if len(p.body)+n <= cap(p.body) {
		return
	}
	size := max(2*cap(p.body), len(p.body)+n)
	if p.part == partBody {
		size = len(p.body) + n
		if len(p.body) > 0 {
			size = len(p.body) + p.left
		}
	}
	p.body = append(make([]byte, 0, size), p.body...)
}

// direct is where the next bytes of the body may be read to instead of being fed,
// which saves copying them; nil where too few are known to come. Took must follow.
func (p *parser) direct() []byte {
	if p.part != partBody && p.part != partChunk || p.left < minDirect {
		return nil
	}
	if len(p.body) == cap(p.body) {
		p.reserve(min(p.left, max(len(p.body), minDirect)))
	}
	end := len(p.body)
	return p.body[end:min(end+p.left, cap(p.body))]
}

// took says that n bytes were read to where direct had them read, and reports
// whether the answer is whole.
func (p *parser) took(n int) (whole bool) {
	p.body = p.body[:len(p.body)+n]
	if p.left -= n; p.left > 0 {
		return false
	}
	if p.part == partChunk {
		p.part = partChunkEnd
		return false
	}
	p.part = partNone
	return true
}

// end says that the backend has closed the connection. The error is nil where the
// answer is whole with that.
func (p *parser) end() error {
	switch p.part {
	case partRest:
		p.part = partNone
	case partNone:
	case partHead:
		return errNoAnswer
	default:
		return errCutAnswer
	}
	return nil
}

// describe adds to an error where in the answer it was found.
func (p *parser) describe(err error) error {
	if p.part == partHead || err == nil {
		return err
	}
	return unreadable(err)
}

// untouched reports whether nothing of the answer has come.
func (p *parser) untouched() bool {
	return p.part == partHead && len(p.kept) == 0 && p.room == maxAnswerHeader
}

// reusable reports whether the backend keeps the connection open behind the whole
// answer. What it sent behind that is for the caller to look at.
func (p *parser) reusable() bool { return p.part == partNone && !p.head.closes }

// response is the whole answer.
func (p *parser) response() *Response {
	return &Response{Status: p.head.status, Header: p.head.header, Body: p.body}
}

// answer reads an answer from a connection to its end, through a buffer. The
// connection is reusable where nothing came behind the answer.
func (p *parser) answer(from io.Reader, buffer []byte) (reusable bool, err error) {
	for whole, rest := false, []byte(nil); ; {
		into := p.direct()
		straight := into != nil
		if !straight {
			into = buffer
		}
		n, err := from.Read(into)
		switch { // where there are bytes and an error, the error comes again
		case n > 0 && straight:
			whole = p.took(n)
		case n > 0:
			if rest, whole, err = p.feed(into[:n]); err != nil {
				return false, err
			}
		case err == io.EOF: //nolint:errorlint // as readers give it
			return false, p.end()
		case err != nil:
			return false, p.describe(err)
		}
		if whole {
			return p.reusable() && len(rest) == 0, nil
		}
	}
}
