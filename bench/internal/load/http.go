//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// HTTP calls a server directly: POST with keep-alive, the answer is to be the
// payload.
type HTTP struct {
	payload []byte
	request []byte
}

// NewHTTP makes requests to a path of a host.
func NewHTTP(host, path string, payload []byte) *HTTP {
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, host, len(payload))
	return &HTTP{payload: payload, request: append([]byte(head), payload...)}
}

// Handshake implements Protocol.
func (h *HTTP) Handshake() (request, answer string) { return "", "" }

// Request implements Protocol.
func (h *HTTP) Request() []byte { return h.request }

var (
	headEnd       = []byte("\r\n\r\n")
	statusOK      = []byte("HTTP/1.1 200 ")
	contentLength = []byte("\r\nContent-Length: ")
	errNoLength   = errors.New("an answer without Content-Length")
)

// Reply implements Protocol. The server must give a Content-Length.
func (h *HTTP) Reply(data []byte) (int, error) {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return 0, nil
	}
	total, err := answerLength(data, end)
	if total == 0 || err != nil {
		return 0, err
	}
	if body := data[end+len(headEnd) : total]; !bytes.Equal(body, h.payload) {
		return 0, fmt.Errorf("the server answered %q", body)
	}
	return total, nil
}

// answerLength returns the length of the answer whose head ends at end, 0 as long
// as its body is incomplete.
func answerLength(data []byte, end int) (int, error) {
	if !bytes.HasPrefix(data, statusOK) {
		return 0, fmt.Errorf("the server answered %q", data)
	}
	_, value, found := bytes.Cut(data[:end+2], contentLength)
	if !found {
		return 0, errNoLength
	}
	value, _, _ = bytes.Cut(value, headEnd[:2])
	length, err := strconv.Atoi(string(value))
	if err != nil {
		return 0, fmt.Errorf("Content-Length: %w", err)
	}
	total := end + len(headEnd) + length
	if len(data) < total {
		return 0, nil
	}
	return total, nil
}
