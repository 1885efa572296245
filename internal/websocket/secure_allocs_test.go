//go:build linux && !race

package websocket

import (
	"crypto/tls"
	"fmt"
	"testing"
)

// A record that comes and a frame that goes allocate what crypto/tls does for a read, and
// nothing else; with the compact layer nothing at all.
func TestSecureAllocations(t *testing.T) {
	for driver, most := range map[Driver]float64{driverSecure: 3, driverCompact: 0} {
		t.Run(fmt.Sprint(driver), func(t *testing.T) { testSecureAllocations(t, driver, most) })
	}
}

func testSecureAllocations(t *testing.T, driver Driver, most float64) {
	wire := &collecting{}
	near, far := socketPair(t)
	wire.Conn = near
	client, server := handshake(t, wire, below(driver, far), &tls.Config{InsecureSkipVerify: true})
	c := &Conn{engine: &Engine{}, limits: &Limits{}}
	l := newLoop(nil)
	s := &secure{loop: l, conn: c}
	s.layer, _ = layerOf(c, server)
	c.driver = s
	l.resting.count, l.resting.conns = 1, make([]*Conn, 1, 2) // its timer runs
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
	if allocations > most {
		t.Errorf("%v allocations, want %v at most", allocations, most)
	}
}
