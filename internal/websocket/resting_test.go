package websocket

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

// hasKeys reports whether a connection has keys at this moment. Where it has, it counts as busy from then on.
func hasKeys(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.secure().layer.(*compactLayer).records.Busy()
	if keys {
		c.active.Store(math.MaxInt64)
	}
	return keys
}

// awaitResting waits until a number of connections are to rest.
func awaitResting(t *testing.T, r *resting, want int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d connections that are to rest", want), func() bool {
		time.Sleep(time.Millisecond) // between two looks: it takes a second
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.count == want
	})
}

// A connection has its keys while it is busy, however often the loop looks at it, and gives them back when it isn't.
func TestBusyConnectionsKeepTheirKeys(t *testing.T) {
	needsLoop(t)
	t.Parallel()
	e := newEngine(t, Options{Driver: driverCompact, Loops: 1})
	r := &e.loops[0].resting
	p, c := adopt(t, e, &recorder{answer: echo}, nil)
	for kept := false; !kept; kept = hasKeys(c) { // on a slow machine they may have been given back by then
		p.send(text("hello"))
		p.expect(opText, []byte("hello"))
	}
	for range 2 {
		if !r.add(new(Conn)) { // which is gone when the loop has looked
			t.Fatal("there are too many")
		}
		awaitResting(t, r, 1)
		if !hasKeys(c) {
			t.Error("a busy connection gave its keys back")
		}
	}
	c.active.Store(0)
	awaitResting(t, r, 0)
	if hasKeys(c) {
		t.Error("an idle connection has keys")
	}
}

// No more than maxResting connections of a loop have keys between messages, whatever the loop is about. The others derive them
// for each message, until there is room.
func TestRestingIsBounded(t *testing.T) {
	needsLoop(t)
	t.Parallel()
	e := newEngine(t, Options{Driver: driverCompact, Loops: 1})
	r := &e.loops[0].resting
	busy := make([]Conn, maxResting)
	for i := range busy {
		c := &busy[i]
		c.engine, c.driver = e, &secure{layer: &compactLayer{records: new(tlsrecord.Layer)}}
		c.active.Store(math.MaxInt64)
		if !r.add(c) {
			t.Fatalf("%d connections are too many", i+1)
		}
	}
	busy[0].mu.Lock()
	eventually(t, "the loop looks at all of them, and waits for the first", func() bool {
		time.Sleep(time.Millisecond)
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.conns) == 0
	})
	if r.add(new(Conn)) {
		t.Error("there is room while the loop looks at those that are to rest")
	}
	busy[0].mu.Unlock()

	p, c := adopt(t, e, &recorder{answer: echo}, nil)
	talk := func() {
		p.send(text("hello"))
		p.expect(opText, []byte("hello"))
	}
	for range 3 {
		talk()
		if hasKeys(c) {
			t.Error("a connection past the bound has keys between messages")
		}
	}
	for i := range busy {
		busy[i].active.Store(0)
	}
	awaitResting(t, r, 0)
	for kept := false; !kept; kept = hasKeys(c) {
		talk()
	}
	c.active.Store(0)
	awaitResting(t, r, 0)
}
