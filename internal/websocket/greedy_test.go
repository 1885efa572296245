package websocket

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Whoever sends most is not read for a while, others are; nothing is lost by it.
func TestHoldGreediest(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, Loops: 1})
		const messages = 400
		greedy, modest := &recorder{}, &recorder{answer: echo}
		g, gc := adopt(t, e, greedy, nil)
		m, mc := adopt(t, e, modest, nil)
		m.send(text("hello"))
		m.expect(opText, []byte("hello"))
		message := text(strings.Repeat("x", 32<<10)) // all together more than sockets take
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			for range messages {
				if _, err := g.Write(message); err != nil {
					return // the test has ended
				}
			}
		})
		greedy.awaitMessages(t, 5)
		e.HoldGreediest()
		if held := e.held; len(held) != 1 || !isHeld(gc) || isHeld(mc) {
			t.Fatalf("%d are held; the greedy one: %t, the modest one: %t", len(held), isHeld(gc), isHeld(mc))
		}
		eventually(t, "the reading to stop", func() bool {
			gc.mu.Lock()
			defer gc.mu.Unlock()
			return !gc.reading && gc.inFlight == 0
		})
		before := len(greedy.awaitMessages(t, 5))
		for n := range 100 {
			m.send(text(fmt.Sprint(n)))
			m.expect(opText, []byte(fmt.Sprint(n)))
		}
		if after := len(greedy.awaitMessages(t, 5)); after != before || after == messages {
			t.Errorf("%d of %d messages were read, and %d before", after, messages, before)
		}
		e.ReleaseHeld()
		greedy.awaitMessages(t, messages)
	})
}

// Who is held is released in the next round but one at the latest, and can be
// closed meanwhile.
func TestHeldIsReleased(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		r := &recorder{answer: echo}
		p, c := adopt(t, e, r, nil)
		p.send(text("a"))
		p.expect(opText, []byte("a"))
		e.HoldGreediest()
		if !isHeld(c) {
			t.Fatal("the only one that sends is not held")
		}
		e.HoldGreediest()
		p.send(text("b"))
		p.expect(opText, []byte("b"))
		e.HoldGreediest()
		c.Close(4000, "bye")
		p.expect(opClose, closeBody(4000, "bye"))
		p.send(closeFrame(4000, ""))
		p.expectEnd()
		r.awaitClosed(t, 4000, "bye")
		e.ReleaseHeld()
	})
}

func isHeld(c *Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}
