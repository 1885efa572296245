//go:build linux

package load

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// Calls are HTTP requests, one of which is taken by chance each time. The answer
// to each must have the status 200 and a Content-Length.
type Calls struct{ requests [][]byte }

// NewCalls makes calls of whole requests, of which there must be one at least.
func NewCalls(requests [][]byte) *Calls { return &Calls{requests} }

// HTTPRequest is a request with keep-alive, ready to be written. The lines are
// those of its header besides Host and Content-Length, each with its CR LF.
func HTTPRequest(method, host, path, lines string, body []byte) []byte {
	length := ""
	if len(body) > 0 {
		length = fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return append(fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", method, path, host, lines, length), body...)
}

// Handshake implements Protocol.
func (c *Calls) Handshake() (request, answer string) { return "", "" }

// Request implements Protocol.
func (c *Calls) Request() []byte { return c.requests[rand.IntN(len(c.requests))] }

// Reply implements Protocol.
func (c *Calls) Reply(data []byte) (int, error) {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return 0, nil
	}
	return answerLength(data, end)
}
