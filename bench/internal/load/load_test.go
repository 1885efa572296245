//go:build linux

package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const payload = `{"action":"call"}`

// echo is an HTTP server that answers requests with their bodies.
func echo(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// frames is a server that accepts handshakes and answers each message of the
// test's length with answer, a byte sequence of its own.
func frames(t *testing.T, answer []byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serveFrames(c, answer)
		}
	}()
	return listener.Addr().String()
}

func serveFrames(c net.Conn, answer []byte) {
	defer c.Close()
	in := bufio.NewReader(c)
	if _, err := http.ReadRequest(in); err != nil {
		return
	}
	io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	message := make([]byte, len(frame([]byte(payload), [4]byte{}, true)))
	for {
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		// In two parts: replies may come in pieces.
		c.Write(answer[:1])
		c.Write(answer[1:])
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	http, socket := echo(t), frames(t, frame([]byte(payload), [4]byte{}, false))
	for name, o := range map[string]Options{
		"HTTP":      {Address: http, Protocol: NewHTTP(http, "/", []byte(payload))},
		"WebSocket": {Address: socket, Protocol: NewWebSocket(socket, "/", []byte(payload))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Connections, o.Loops, o.Warmup, o.Duration = 9, 2, time.Millisecond, 200*time.Millisecond
			result, err := Run(o)
			if err != nil || len(result.Errors) > 0 {
				t.Fatal(err, result.Errors)
			}
			if len(result.Latencies) == 0 || result.Rate() <= 0 {
				t.Errorf("%d messages, %v a second", len(result.Latencies), result.Rate())
			}
		})
	}
}

// Wrong and missing replies are errors, not messages.
func TestRunErrors(t *testing.T) {
	t.Parallel()
	right := frame([]byte(payload), [4]byte{}, false)
	for name, answer := range map[string][]byte{
		"wrong":    frame([]byte("no"), [4]byte{}, false),
		"too much": append(right, right...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := frames(t, answer)
			result, err := Run(Options{
				Address: address, Protocol: NewWebSocket(address, "/", []byte(payload)), Connections: 3, Duration: 100 * time.Millisecond,
			})
			if err != nil || len(result.Errors) != 3 || len(result.Latencies) > 0 {
				t.Errorf("%v; %d messages, errors %v", err, len(result.Latencies), result.Errors)
			}
		})
	}
}

func TestRefusedHandshake(t *testing.T) {
	t.Parallel()
	address := echo(t)
	_, err := Open(address, NewWebSocket(address, "/", []byte(payload)), 20)
	if err == nil || !strings.Contains(err.Error(), "HTTP/1.1 200 OK") {
		t.Errorf("%v", err)
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	address := frames(t, frame([]byte(payload), [4]byte{}, false))
	conns, err := Open(address, NewWebSocket(address, "/", []byte(payload)), 40)
	if err != nil {
		t.Fatal(err)
	}
	defer conns.Close()
	for range 2 {
		if err := conns.Exchange(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTTPReply(t *testing.T) {
	t.Parallel()
	h := NewHTTP("localhost", "/", []byte("hello"))
	whole := "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 5\r\n\r\nhello"
	for i := range len(whole) {
		if n, err := h.Reply([]byte(whole[:i])); n != 0 || err != nil {
			t.Errorf("%q: %d, %v", whole[:i], n, err)
		}
	}
	if n, err := h.Reply([]byte(whole)); n != len(whole) || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{
		"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
		strings.Replace(whole, "hello", "other", 1),
	} {
		if n, err := h.Reply([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a reply of %d bytes", bad, n)
		}
	}
}

func TestFrame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		length int
		head   string
	}{
		{125, "\x81\xfd"}, {126, "\x81\xfe\x00\x7e"}, {65536, "\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		got := frame(make([]byte, test.length), [4]byte{1, 2, 3, 4}, true)
		want := test.head + "\x01\x02\x03\x04" + "\x01\x02"
		if !strings.HasPrefix(string(got), want) || len(got) != len(test.head)+4+test.length {
			t.Errorf("%d bytes: %x", test.length, got[:min(len(got), 16)])
		}
	}
	// The example of RFC 6455, section 5.7.
	if got := fmt.Sprintf("%x", frame([]byte("Hello"), [4]byte{0x37, 0xfa, 0x21, 0x3d}, true)); got != "818537fa213d7f9f4d5158" {
		t.Error(got)
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"", "short", strings.Repeat("long", 1000)} {
		s, err := DialSocket(frames(t, frame([]byte(answer), [4]byte{}, false)), "/")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := s.Ask(payload); got != answer || err != nil {
				t.Errorf("%q, %v; want %q", got, err, answer)
			}
		}
		s.Close()
		if _, err := s.Ask(payload); err == nil {
			t.Error("a closed connection answers")
		}
	}
	if _, err := DialSocket(echo(t), "/"); err == nil {
		t.Error("a server that knows no WebSockets is connected to")
	}
	s, err := DialSocket(frames(t, frame(make([]byte, 1<<16), [4]byte{}, false)), "/")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Ask(payload); err == nil {
		t.Error("a frame that is too long is read")
	}
}

// Pings before a reply belong to it.
func TestReplyAfterPings(t *testing.T) {
	t.Parallel()
	w := NewWebSocket("127.0.0.1:1", "/", []byte(payload))
	whole := append(append(bytes.Clone(ping), ping...), w.reply...)
	for _, test := range []struct {
		data []byte
		want int
	}{{whole, len(whole)}, {whole[:len(whole)-1], 0}, {ping, 0}, {ping[:1], 0}, {whole[:3], 0}, {w.reply, len(w.reply)}} {
		if got, err := w.Reply(test.data); got != test.want || err != nil {
			t.Errorf("%q: %d, %v, want %d", test.data, got, err, test.want)
		}
	}
}
