package gateway_test

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// pusher sends pushes to a connection that is read, over a connection of its own.
// Nothing of it allocates, so that the gateway's allocations are measured.
type pusher struct {
	conn            net.Conn
	request, answer []byte
}

func newPusher(t testing.TB) *pusher {
	t.Helper()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("c", Returns(ok))
	g.DeployRoutes(Route{Key: "$connect", Function: "c"})
	drain(t, g)
	id := g.Functions.Events("c")[0].RequestContext.ConnectionID
	conn, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(Timeout))
	body := strings.Repeat("x", 128)
	return &pusher{conn: conn, answer: make([]byte, 4096), request: fmt.Appendf(nil,
		"POST /dev/@connections/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: test\r\nAccept-Encoding: identity\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n%s",
		strings.ReplaceAll(id, "=", "%3D"), g.Address, len(body), body)}
}

// drain opens a WebSocket connection and reads what comes on it.
func drain(t testing.TB, g *Gateway) {
	t.Helper()
	conn, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write(handshakeOf(g)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 4096)
	n, err := conn.Read(head)
	if err != nil || !bytes.HasPrefix(head[:n], []byte("HTTP/1.1 101 ")) {
		t.Fatalf("handshake: %q %v", head[:n], err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for err := error(nil); err == nil; {
			_, err = conn.Read(head)
		}
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-read
	})
}

func (p *pusher) push(t testing.TB) {
	if _, err := p.conn.Write(p.request); err != nil {
		t.Fatal(err)
	}
	n, err := p.conn.Read(p.answer)
	if err != nil || !bytes.HasPrefix(p.answer[:n], []byte("HTTP/1.1 200 OK\r\n")) {
		t.Fatalf("answered %q %v", p.answer[:n], err)
	}
}

// A push makes little garbage: its URL and the texts of its head, the ids of the answer,
// and the record.
func TestPushAllocates(t *testing.T) {
	p := newPusher(t)
	p.push(t)
	allocations.AtMost(t, 12, func() { p.push(t) })
}

func BenchmarkPush(b *testing.B) {
	p := newPusher(b)
	b.ReportAllocs()
	for b.Loop() {
		p.push(b)
	}
}

// shaker makes handshakes. It returns the function that makes one, and cuts the
// connection.
func shaker(t testing.TB) (shake func()) {
	t.Helper()
	g := New(t, websocket.DriverAuto)
	g.DeployRoutes(Route{Key: "$default"})
	request := handshakeOf(g)
	answer := make([]byte, 4096)
	return func() { shakeHands(t, g, request, answer) }
}

// A handshake, and the end of its connection, make little garbage of the gateway's own:
// of these allocations 20 are the test's, and 45 those of net and net/http.
func TestHandshakeAllocates(t *testing.T) {
	shake := shaker(t)
	shake()
	allocations.AtMost(t, 105, shake)
}

func BenchmarkHandshake(b *testing.B) {
	shake := shaker(b)
	b.ReportAllocs()
	for b.Loop() {
		shake()
	}
}

func handshakeOf(g *Gateway) []byte {
	return fmt.Appendf(nil, "GET /dev HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", g.Address)
}

func shakeHands(t testing.TB, g *Gateway, request, answer []byte) {
	conn, err := net.Dial("tcp", g.Address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(answer)
	if err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101 ")) {
		t.Fatalf("handshake: %q %v", answer[:n], err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}
