package websocket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	gorilla "github.com/gorilla/websocket"
)

// heard is what a server made of a stream of bytes.
type heard struct {
	Messages []string
	closing
}

var exported = cmp.AllowUnexported(heard{}, closing{})

// drive sends the stream to an engine in pieces and hangs up. Its sockets are
// Unix ones: so many TCP connections would use up the ports.
func drive(t *testing.T, e *Engine, listener net.Listener, stream []byte, piece int) heard {
	dialled, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := dialled.(*net.UnixConn)
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if _, err := e.Adopt(server, Socket{Handler: r, Limits: &Limits{InFlight: 1}}); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		io.Copy(io.Discard, client)
	}()
	for len(stream) > 0 {
		n, err := client.Write(stream[:min(piece, len(stream))])
		if err != nil {
			break
		}
		stream = stream[n:]
	}
	client.CloseWrite()
	r.await(t, "Closed", func() bool { return len(r.closed) == 1 })
	client.Close()
	<-drained
	// The last message may still be on its way to the handler.
	eventually(t, "quiet", func() bool {
		return e.dispatcher.running.Load() == 0
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	return heard{r.messages, r.closed[0]}
}

// streamConn is the server's end for the reference: it reads the stream and
// forgets what is written.
type streamConn struct {
	net.Conn
	io.Reader
}

func (s streamConn) Read(p []byte) (int, error)    { return s.Reader.Read(p) }
func (streamConn) Write(p []byte) (int, error)     { return len(p), nil }
func (streamConn) Close() error                    { return nil }
func (streamConn) SetDeadline(time.Time) error     { return nil }
func (streamConn) SetReadDeadline(time.Time) error { return nil }
func (streamConn) SetWriteDeadline(time.Time) error {
	return nil
}

// hijackable lets the reference take over a streamConn.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// reference is what gorilla/websocket hears. It doesn't check text, so that is
// done here, message by message.
func reference(t *testing.T, stream []byte) (h heard) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	for name, value := range map[string]string{
		"Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		request.Header.Set(name, value)
	}
	c, err := (&gorilla.Upgrader{}).Upgrade(hijackable{httptest.NewRecorder(), streamConn{Reader: bytes.NewReader(stream)}}, request, nil)
	if err != nil {
		t.Fatal(err)
	}
	for {
		kind, payload, err := c.ReadMessage()
		var closed *gorilla.CloseError
		switch {
		case errors.As(err, &closed):
			h.Code = closed.Code
			return h
		case err != nil:
			h.Code = CloseProtocolError
			return h
		case kind == gorilla.TextMessage && !utf8.Valid(payload):
			h.Code = CloseInvalidPayload
			return h
		}
		h.Messages = append(h.Messages, string(rune('0'+kind))+string(payload))
	}
}

// differs says that the reference rightly judges the stream otherwise. It finds
// violations at other bytes than we do, text that isn't UTF-8 above all, so the
// stream may end before; it calls a close reason that isn't UTF-8 a protocol error; it
// takes lengths and a close frame that we don't, and doesn't know a close code.
func differs(ours, theirs heard) bool {
	early := [2]int{ours.Code, theirs.Code}
	if early == [2]int{CloseProtocolError, CloseAbnormal} || early == [2]int{CloseAbnormal, CloseProtocolError} {
		return true
	}
	switch ours.Reason {
	case "Text is not UTF-8", "Close reason is not UTF-8", "Frame length is not minimal", "Frame length out of range", "Close frame of one byte":
		return true
	}
	return ours.Code == 1014
}

// FuzzDrivers feeds the same bytes, in pieces of any size, to both drivers and
// to a reference library and compares what they hear.
func FuzzDrivers(f *testing.F) {
	for _, cases := range [][]exchange{messageExchanges(), violationExchanges(), closeExchanges()} {
		for _, x := range cases {
			if len(x.send) < 500 {
				f.Add(x.send, 1+len(x.send)/3)
			}
		}
	}
	engines := sync.OnceValue(func() (both [2]*Engine) {
		for i, driver := range []Driver{DriverGoroutine, DriverAuto} {
			e, err := NewEngine(Options{Driver: driver, Loops: 1})
			if err != nil {
				f.Fatal(err)
			}
			both[i] = e
		}
		return both
	})
	f.Cleanup(func() {
		for _, e := range engines() {
			e.Shutdown(context.Background())
		}
	})
	listener, err := net.Listen("unix", filepath.Join(f.TempDir(), "s"))
	if err != nil {
		f.Skip("no Unix sockets: ", err)
	}
	f.Cleanup(func() { listener.Close() })
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if piece <= 0 {
			piece = 1 << 20
		}
		both := engines()
		ours := drive(t, both[0], listener, stream, piece)
		if diff := cmp.Diff(ours, drive(t, both[1], listener, stream, piece), exported); diff != "" {
			t.Fatalf("-goroutine +loop\n%s", diff)
		}
		theirs := reference(t, stream)
		if differs(ours, theirs) {
			theirs.Code = ours.Code
			theirs.Messages = theirs.Messages[:min(len(ours.Messages), len(theirs.Messages))]
		}
		theirs.Reason = ours.Reason // violations are worded differently
		if diff := cmp.Diff(ours, theirs, exported, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q: -ours +reference\n%s", stream, diff)
		}
	})
}
