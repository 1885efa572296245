package websocket

import (
	"fmt"
	"testing"
)

// Shares leave something to each other, however many fill theirs, and what
// waits goes on as soon as it may, in its order.
func TestShares(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		const limit = 60
		e := newEngine(t, Options{Driver: driver, InFlight: limit})
		full := []int{30, 15, 8, 4, 2, 1, 1, 1} // of the first, the second, …: half of what was left, and one always
		var gates []*gate
		var handlers []*recorder
		for n, most := range full {
			g := newGate()
			r := &recorder{answer: g.answer}
			gates, handlers = append(gates, g), append(handlers, r)
			share := &Share{}
			for range limit {
				p, _ := adopt(t, e, r, &Limits{Share: share})
				p.send(text("x"))
			}
			r.awaitMessages(t, most)
			eventually(t, "the rest to wait", func() bool {
				e.dispatcher.mu.Lock()
				defer e.dispatcher.mu.Unlock()
				return len(share.waiting)-share.first == limit-most
			})
			if got := int(share.running.Load()); got != most {
				t.Fatalf("share %d has %d messages in flight, want %d", n, got, most)
			}
		}
		for _, g := range gates {
			close(g.open)
		}
		for n, r := range handlers {
			if got := len(r.awaitMessages(t, limit)); got != limit {
				t.Errorf("share %d had %d messages", n, got)
			}
		}
		eventually(t, "nothing in flight", func() bool { return e.dispatcher.running.Load() == 0 })
		if n := len(e.dispatcher.ring); n > 0 {
			t.Errorf("%d shares wait", n)
		}
	})
}

// A backend gets half of what its share can get, and always one.
func TestParts(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{InFlight: 40})
	share := &Share{}
	var hung, other Part
	g := newGate()
	entered := make(chan bool)
	r := &recorder{answer: func(c *Conn, _ Opcode, payload []byte) {
		part := &hung
		if string(payload) == "other" {
			part = &other
		}
		ok := part.Enter(c)
		entered <- ok
		if ok {
			g.answer(c, Text, nil)
			part.Leave(c)
		}
	}}
	count := 0
	for n := range 30 {
		p, _ := adopt(t, e, r, &Limits{Share: share})
		p.send(text(fmt.Sprint(n)))
		if <-entered {
			count++
		}
	}
	if count != 10 {
		t.Errorf("%d of 40 calls went to one backend, want 10", count)
	}
	p, _ := adopt(t, e, r, &Limits{Share: share})
	p.send(text("other"))
	if !<-entered {
		t.Error("another backend of the share got nothing")
	}
	close(g.open)
	eventually(t, "all to leave", func() bool { return hung.running.Load() == 0 && other.running.Load() == 0 })
}
