//go:build linux

package load

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// WebSocket sends text messages, each to be answered by one with the same
// payload.
type WebSocket struct {
	host, path string
	request    []byte // a masked text frame
	reply      []byte // the frame that answers it
	greeting   []byte // the frame that comes before all messages; empty: none
}

// NewWebSocket makes messages for connections to a path of a host.
func NewWebSocket(host, path string, payload []byte) *WebSocket {
	return &WebSocket{
		host: host, path: path,
		request: frame(payload, [4]byte{0x12, 0x34, 0x56, 0x78}, true),
		reply:   frame(payload, [4]byte{}, false),
	}
}

// AnsweredBy has messages answered by another payload than their own.
func (w *WebSocket) AnsweredBy(payload []byte) *WebSocket {
	other := *w
	other.reply = frame(payload, [4]byte{}, false)
	return &other
}

// Greeting has each connection begin with another message, which is answered by one
// frame, whatever is in it.
func (w *WebSocket) Greeting(payload []byte) *WebSocket {
	other := *w
	other.greeting = frame(payload, [4]byte{}, true)
	return &other
}

// greet implements greeter.
func (w *WebSocket) greet() (message []byte, answered func(data []byte) (bool, error)) {
	return w.greeting, func(data []byte) (bool, error) {
		head, length, err := serverFrame(data)
		return err == nil && head > 0 && len(data) == head+length, err
	}
}

// serverFrame is the length of the head of a text frame that a server has sent, and
// of its payload; 0 as long as the head is incomplete.
func serverFrame(data []byte) (head, length int, err error) {
	if len(data) < 2 {
		return 0, 0, nil
	}
	if data[0] != 0x81 {
		return 0, 0, fmt.Errorf("the server sent %q", data)
	}
	switch n := data[1]; {
	case n == 126 && len(data) >= 4:
		return 4, int(binary.BigEndian.Uint16(data[2:])), nil
	case n == 127 && len(data) >= 10:
		return 10, int(binary.BigEndian.Uint64(data[2:])), nil
	case n < 126:
		return 2, int(n), nil
	}
	return 0, 0, nil
}

// Message is a message of a size for a route, which is chosen by the member
// "action". Other members end in a comma.
func Message(action, members string, size int) []byte {
	head, tail := `{"action":"`+action+`",`+members+`"text":"`, `"}`
	return []byte(head + strings.Repeat("x", max(0, size-len(head)-len(tail))) + tail)
}

// Frame is a whole text message, as a server sends it.
func Frame(payload []byte) []byte { return frame(payload, [4]byte{}, false) }

// frame is a whole text message: RFC 6455, section 5.2.
func frame(payload []byte, key [4]byte, masked bool) []byte {
	var mask byte
	if masked {
		mask = 0x80
	}
	f := []byte{0x81}
	switch n := len(payload); {
	case n < 126:
		f = append(f, mask|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, mask|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, mask|127), uint64(n))
	}
	if masked {
		f = append(f, key[:]...)
	}
	for i, b := range payload {
		f = append(f, b^key[i%4])
	}
	return f
}

// Handshake implements Protocol. Each has a key of its own: serverless-offline
// tells connections apart by it.
func (w *WebSocket) Handshake() (request, answer string) {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
		w.path, w.host, base64.StdEncoding.EncodeToString(key)), "HTTP/1.1 101 "
}

// Request implements Protocol.
func (w *WebSocket) Request() []byte { return w.request }

// ping is one without a payload, as the gateway sends them to clients that say
// nothing for a while.
var ping = []byte{0x89, 0}

// Reply implements Protocol. Pings before the reply are taken with it, and are not
// answered.
func (w *WebSocket) Reply(data []byte) (int, error) {
	if len(data) < len(ping) { // it may be half of one
		return 0, nil
	}
	if after, found := bytes.CutPrefix(data, ping); found {
		length, err := w.Reply(after)
		if length > 0 {
			length += len(ping)
		}
		return length, err
	}
	if n := min(len(data), len(w.reply)); !bytes.Equal(data[:n], w.reply[:n]) {
		return 0, fmt.Errorf("the server sent %q", data)
	}
	if len(data) < len(w.reply) {
		return 0, nil
	}
	return len(w.reply), nil
}
