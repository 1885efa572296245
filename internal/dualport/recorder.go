package dualport

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// MaxHead is the largest size, in bytes, of all request heads that are kept for
// a connection.
const MaxHead = 64 << 10

// usualHead is the size of most heads, in bytes.
const usualHead = 512

// recorder follows the requests in a connection's bytes and keeps their heads
// until they are taken. It must know where a body ends to find the next head:
// the server reads ahead, so the beginning of one request can arrive in the
// same Read as the end of another.
//
// It never refuses a request. net/http refuses those that it cannot follow; and
// a head that does not belong to the request that a handler has is not used.
type recorder struct {
	mu     sync.Mutex // guards what follows
	state  state
	line   []byte // the line being read, without those before it
	left   uint64 // bytes of the body, or of the chunk, that are still to come
	queue  []string
	queued int  // bytes in queue
	open   int  // requests whose head has come, and that are not answered
	blank  bool // blank lines have come since the last request
	post   bool // that was a POST

	// Of the head being read:
	begun   bool   // it has a line
	head    []byte // its lines so far, at the end with the blank one
	large   bool   // it is larger than MaxHead and not kept
	old     bool   // it is HTTP/1.0
	chunked bool
}

type state int

const (
	inHead state = iota
	inBody
	inChunkSize
	inChunk
	inChunkEnd
	inTrailer
	lost // the framing could not be followed: nothing is recorded any more
)

// feed is called with the bytes that the connection has read.
func (r *recorder) feed(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(p) > 0 && r.state != lost {
		if r.state == inBody || r.state == inChunk {
			p = r.skip(p)
			continue
		}
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			r.addToLine(p)
			return
		}
		line := p[:end]
		if len(r.line) > 0 {
			r.addToLine(line)
			line = r.line
		} else if end > MaxHead {
			r.large = true
		}
		p = p[end:]
		r.endLine(line)
		r.line = nil // it seldom comes in pieces
	}
}

// addToLine adds bytes to the line, up to MaxHead. A longer line makes its head
// too large, and no valid chunk size is as long.
func (r *recorder) addToLine(p []byte) {
	if len(r.line)+len(p) > MaxHead {
		r.large = true
		p = p[len(p)-1:] // the last byte may be the line's end
		r.line = r.line[:min(len(r.line), MaxHead-1)]
	}
	r.line = append(r.line, p...)
}

// skip passes over a body's bytes.
func (r *recorder) skip(p []byte) []byte {
	n := min(uint64(len(p)), r.left)
	r.left -= n
	if r.left == 0 {
		if r.state == inChunk {
			r.state = inChunkEnd
		} else {
			r.state = inHead
		}
	}
	return p[n:]
}

func (r *recorder) endLine(line []byte) {
	blank := len(bytes.TrimRight(line, "\r\n")) == 0
	switch r.state {
	case inHead:
		r.endHeadLine(line, blank)
	case inChunkSize:
		size, _, _ := strings.Cut(strings.TrimSpace(string(line)), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 63)
		switch {
		case err != nil:
			r.state = lost
		case n == 0:
			r.state = inTrailer
		default:
			r.state, r.left = inChunk, n
		}
	case inChunkEnd:
		r.state = inChunkSize
	case inTrailer:
		if blank {
			r.state = inHead
		}
	}
}

func (r *recorder) endHeadLine(line []byte, blank bool) {
	if blank && !r.begun {
		r.blank = true
		return // a blank line before a request is ignored (RFC 9112, section 2.2)
	}
	first := !r.begun
	r.begun = true
	r.large = r.large || r.queued+len(r.head)+len(line) > MaxHead
	switch {
	case r.large:
		r.head = nil
	case first:
		r.head = append(make([]byte, 0, usualHead), line...)
	default:
		r.head = append(r.head, line...)
	}
	if blank {
		r.endHead()
		return
	}
	if first {
		r.post = bytes.HasPrefix(line, []byte("POST "))
		r.old = bytes.HasSuffix(bytes.TrimRight(line, "\r\n"), []byte(" HTTP/1.0"))
		return
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	switch {
	case bytes.EqualFold(name, []byte("transfer-encoding")):
		r.chunked = !r.old // HTTP/1.0 does not have it
	case bytes.EqualFold(name, []byte("content-length")):
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 63)
		if err != nil {
			r.state = lost
			return
		}
		r.left = n
	}
}

// endHead keeps the head, and finds out how long the body is (RFC 9112, section
// 6.3).
func (r *recorder) endHead() {
	switch {
	case r.chunked:
		r.state = inChunkSize
	case r.left > 0:
		r.state = inBody
	}
	if !r.large {
		r.queue = append(r.queue, string(r.head))
		r.queued += len(r.head)
	}
	r.head, r.begun, r.large, r.chunked, r.old = nil, false, false, false, false
	r.open, r.blank = r.open+1, false
}

// answered is told that a request was answered. It reports whether that was a POST, and
// the last request of which anything has come: what comes next is the beginning of one.
func (r *recorder) answered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	return r.open == 0 && r.post && r.state == inHead && !r.begun && !r.blank && len(r.line) == 0
}

// take returns the head of the request with the given request line, and reports
// whether there is one. It drops the heads before that: the server has answered those
// requests itself.
func (r *recorder) take(method, uri string) (head string, found bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, head := range r.queue {
		if !requestLine(head, method, uri) {
			continue
		}
		r.queue = slices.Delete(r.queue, 0, i+1)
		r.queued = 0
		for _, left := range r.queue {
			r.queued += len(left)
		}
		if len(r.queue) == 0 {
			r.queue = nil
		}
		return head, true
	}
	return "", false
}

func (c *Conn) record()        { c.recorder.CompareAndSwap(nil, new(recorder)) }
func (c *Conn) stopRecording() { c.recorder.Store(nil) }

func (c *Conn) takeHead(method, uri string) (head string, found bool) {
	if recorder := c.recorder.Load(); recorder != nil {
		return recorder.take(method, uri)
	}
	return "", false
}
