package httpclient

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// buffers are what an exchange writes and reads with. They are pooled: an idle
// connection has none.
type buffers struct {
	out    []byte
	in     []byte
	parser parser
}

// maxPooled is the capacity, in bytes, beyond which a buffer is not pooled.
const maxPooled = 32 << 10

var bufferPool = sync.Pool{New: func() any {
	return &buffers{out: make([]byte, 0, 2<<10), in: make([]byte, 4<<10)}
}}

// release returns the buffers to the pool, unless they have grown too large.
func (b *buffers) release() {
	if cap(b.out) > maxPooled || cap(b.parser.kept) > maxPooled {
		return
	}
	b.out = b.out[:0]
	b.parser.begin("", false, nil)
	bufferPool.Put(b)
}

// exchange writes a request and reads its answer. The connection is reusable
// where the backend keeps it open and has sent nothing behind the answer.
func exchange(c io.ReadWriter, r *Request) (response *Response, reusable bool, err error) {
	b, _ := bufferPool.Get().(*buffers)
	defer b.release()
	if b.out, err = appendRequest(b.out, r); err != nil {
		return nil, false, err
	}
	if _, err := c.Write(b.out); err != nil {
		return nil, false, err
	}
	p := &b.parser
	p.begin(r.Method, !r.WithoutHeader, []byte{})
	if reusable, err = p.answer(c, b.in); err != nil {
		return nil, false, err
	}
	return p.response(), reusable, nil
}

// appendRequest appends a request in the form of HTTP/1.1. The error is for a name
// in its header that is not a token.
func appendRequest(dst []byte, r *Request) ([]byte, error) {
	dst, err := appendWholeHead(dst, r)
	if err != nil {
		return nil, err
	}
	return append(dst, r.Body...), nil
}

// appendWholeHead is appendRequest without the body.
func appendWholeHead(dst []byte, r *Request) ([]byte, error) {
	var err error
	if r.Prepared != nil {
		dst, err = appendHeader(append(dst, r.Prepared.wire...), r.Header)
	} else {
		dst, err = appendHead(dst, r)
	}
	if err != nil {
		return nil, err
	}
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
	return append(dst, "\r\n\r\n"...), nil
}

// appendHead appends a request's first line and its header, but for the length.
func appendHead(dst []byte, r *Request) ([]byte, error) {
	dst = append(append(dst, r.Method...), ' ')
	dst = appendTarget(dst, r.URL)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), r.hostHeader()...)
	return appendHeader(dst, r.Header)
}

// appendHeader appends lines of a header, each behind the end of the line before.
func appendHeader(dst []byte, header Header) ([]byte, error) {
	for _, f := range header {
		if !isToken(f.Name) {
			return nil, fmt.Errorf("%q is not a header's name", f.Name)
		}
		dst = append(append(dst, "\r\n"...), f.Name...)
		dst = append(append(dst, ": "...), oneLine(f.Value)...)
	}
	return dst, nil
}

// appendTarget appends a URL's path and query. Spaces and control characters in
// the query, which would end the request's first line, are escaped.
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

// oneLine returns a header's value with a space for each line break and NUL, so
// that it cannot begin another header.
func oneLine(value string) string {
	if !strings.ContainsAny(value, "\r\n\x00") {
		return value
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(value)
}
