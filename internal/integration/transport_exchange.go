package integration

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// buffers are what an exchange writes and reads with. They are pooled, so that
// an idle connection has none.
type buffers struct {
	out []byte
	in  input
}

// maxPooled is how large a pooled buffer may be.
const maxPooled = 32 << 10

var bufferPool = sync.Pool{New: func() any {
	return &buffers{out: make([]byte, 0, 2<<10), in: input{buffer: make([]byte, 0, 4<<10)}}
}}

// release gives the buffers back, unless they have grown.
func (b *buffers) release() {
	if cap(b.out) > maxPooled || cap(b.in.buffer) > maxPooled {
		return
	}
	b.out = b.out[:0]
	b.in.begin(nil)
	bufferPool.Put(b)
}

// exchange writes a request and reads its answer. The connection is reusable
// when the backend keeps it open and has said nothing else.
func exchange(c io.ReadWriter, o *outgoing) (response *Response, reusable bool, err error) {
	b, _ := bufferPool.Get().(*buffers)
	defer b.release()
	if b.out, err = appendRequest(b.out, o); err != nil {
		return nil, false, err
	}
	if _, err := c.Write(b.out); err != nil {
		return nil, false, err
	}
	b.in.begin(c)
	return b.in.answer(o.method, !o.withoutHeader)
}

// appendRequest appends a request as HTTP/1.1 writes it.
func appendRequest(dst []byte, o *outgoing) ([]byte, error) {
	dst = append(append(dst, o.method...), ' ')
	dst = appendTarget(dst, o.url)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), o.hostHeader()...)
	for _, f := range o.header {
		if !isToken(f.Name) {
			return nil, fmt.Errorf("%q is not a header's name", f.Name)
		}
		dst = append(append(dst, "\r\n"...), f.Name...)
		dst = append(append(dst, ": "...), oneLine(f.Value)...)
	}
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(o.body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, o.body...), nil
}

// appendTarget appends a URL's path and query. A query may hold what would end
// the request's first line.
func appendTarget(dst []byte, u *url.URL) []byte {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	dst = append(dst, path...)
	if u.RawQuery == "" && !u.ForceQuery {
		return dst
	}
	dst = append(dst, '?')
	for _, c := range []byte(u.RawQuery) {
		if c <= ' ' || c == 0x7f {
			dst = fmt.Appendf(dst, "%%%02X", c)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// oneLine keeps a header's value from starting another header.
func oneLine(value string) string {
	if !strings.ContainsAny(value, "\r\n\x00") {
		return value
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(value)
}

var errSwitched = errors.New("the backend switched protocols")

// answer reads the answer to a request with a method, past the hints that come
// before it. Its header is left out when it is not wanted.
func (in *input) answer(method string, withHeader bool) (response *Response, reusable bool, err error) {
	for room := maxAnswerHeader; ; {
		block, err := in.block(room)
		if err != nil {
			return nil, false, err
		}
		room -= len(block)
		head, err := parseHead(block, withHeader)
		switch {
		case err != nil:
			return nil, false, err
		case head.status == http.StatusSwitchingProtocols:
			return nil, false, errSwitched
		case head.status < 200: // a hint on the way to the answer
			continue
		}
		if err := head.settle(method); err != nil {
			return nil, false, err
		}
		body, err := in.body(&head)
		if err != nil {
			return nil, false, fmt.Errorf("reading the answer: %w", err)
		}
		response = &Response{Status: head.status, Header: head.header, Body: body}
		return response, !head.closes && in.buffered() == 0, nil
	}
}
