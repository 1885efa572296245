//go:build !race

package websocket

import (
	"crypto/tls"
	"testing"

	"github.com/stagedoor/stagedoor/internal/netconn"
)

// A record that comes and a frame that goes allocate what crypto/tls does for a read, and nothing else.
func TestSecureAllocations(t *testing.T) {
	needsLoop(t)
	wire := &collecting{}
	near, far := socketPair(t)
	wire.Conn = near
	client, server := handshake(t, wire, netconn.NewSwitch(far), &tls.Config{InsecureSkipVerify: true})
	c := &Conn{engine: &Engine{}, limits: &Limits{}}
	s := newSecure(c, server)
	server.NetConn().(*netconn.Switch).Redirect(s)
	c.driver = s
	wire.on = true
	message := text("a message of some bytes")
	const runs = 100
	for range runs + 1 {
		if _, err := client.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	size := len(wire.kept) / (runs + 1)
	plain := make([]byte, 1<<10)
	allocations := testing.AllocsPerRun(runs, func() {
		input := wire.kept[:size]
		wire.kept = wire.kept[size:]
		if n, _ := s.openLocked(plain, input, errDrained); n != len(message) {
			t.Fatalf("%d bytes of %d; it ended with %v", n, len(message), s.failed)
		}
		s.frameLocked(opText, message)
		c.out.advance(len(c.out.next()))
	})
	if allocations > 3 {
		t.Errorf("%v allocations, want 3 at most", allocations)
	}
}
