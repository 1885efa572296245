package websocket

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watchMemory notes the most memory that an engine counts until the test calls the
// result, which returns it.
func watchMemory(e *Engine) (most func() int64) {
	over := make(chan struct{})
	var highest atomic.Int64
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			if now := e.MemoryInUse(); now > highest.Load() {
				highest.Store(now)
			}
			select {
			case <-over:
				return
			default:
				time.Sleep(50 * time.Microsecond) // more often would take the processors from the rest
			}
		}
	})
	return func() int64 {
		close(over)
		watching.Wait()
		return highest.Load()
	}
}

// unfinished is most of a message of 100 KB, in one frame or in many.
func unfinished(fragments bool) []byte {
	if !fragments {
		whole := text(strings.Repeat("x", 100_000))
		return whole[:len(whole)-1000]
	}
	parts := clientFrame(opText, "")
	for range 99 {
		parts = append(parts, clientFrame(opContinuation, strings.Repeat("x", 1000))...)
	}
	return parts
}

// Thousands of clients that begin a message and do not end it take no more memory than
// the budget. Those who have had much for long are dropped and told so; who sends whole
// messages meanwhile is not; and the count comes back to nothing.
func TestUnfinishedMessages(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		const conns, budget = 2000, 16 << 20
		e := newEngine(t, Options{Driver: driver, MemoryBudget: budget})
		neighbour, _ := adopt(t, e, &recorder{answer: echo}, nil)
		ask := func(n int) {
			t.Helper()
			neighbour.SetDeadline(time.Now().Add(patience))
			message := fmt.Sprint(n, strings.Repeat("x", n%3*10_000))
			neighbour.send(text(message))
			neighbour.expect(opText, []byte(message))
		}
		most := watchMemory(e)
		r := &recorder{}
		var hoarders []*peer
		for n := range conns {
			p, _ := adopt(t, e, r, nil)
			hoarders = append(hoarders, p)
			_, _ = p.Write(unfinished(n%2 == 0)) // an error: it is dropped already
			if n%20 == 0 {
				ask(n)
			}
		}
		r.await(t, "end of those who are too many", func() bool { return len(r.closed) >= conns-budget/100_000 })
		// A turn may be under way in each loop, or on each processor, when the budget is reached.
		const turn = 2 * readsPerTurn * loopBuffer
		if got := most(); got > budget+int64(4+runtime.GOMAXPROCS(0))*turn || got < budget/2 {
			t.Errorf("up to %d bytes were counted, of a budget of %d", got, budget)
		}
		for _, got := range r.closings() {
			if got != (closing{CloseTryAgainLater, ReasonUnprocessed}) {
				t.Fatalf("dropped with %v", got)
			}
		}
		ask(conns)
		hoarders[0].SetDeadline(time.Now().Add(patience))
		if frame, err := io.ReadAll(hoarders[0]); err != nil || !bytes.HasSuffix(frame, closeBody(CloseTryAgainLater, ReasonUnprocessed)) {
			t.Errorf("the first of them got %q, %v", frame, err)
		}
		for _, p := range hoarders {
			p.Close()
		}
		eventually(t, "nothing to be counted", func() bool { return e.MemoryInUse() == 0 })
		ask(conns + 1)
	})
}

// Messages in flight take half of the budget at most, and a share of it half of that: past
// it those who send more are not read. Another share's messages go on; and all are
// handled once the backend answers.
func TestMemoryInFlight(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		const budget, conns, each = 8 << 20, 8, 40
		e := newEngine(t, Options{Driver: driver, MemoryBudget: budget})
		g := newGate()
		r := &recorder{answer: g.answer}
		share := &Share{}
		var stopped []*Conn
		for range conns {
			p, c := adopt(t, e, r, &Limits{Share: share})
			stopped = append(stopped, c)
			go func() {
				for range each {
					if _, err := p.Write(text(strings.Repeat("x", 60_000))); err != nil {
						return // the test has ended
					}
				}
			}()
		}
		for _, c := range stopped {
			eventually(t, "each connection to be stopped", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.waiting != nil })
		}
		if got := e.budget.inFlight.Load(); got > budget/4 || got < budget/8 {
			t.Errorf("%d bytes in flight, of a budget of %d", got, budget)
		}
		other, _ := adopt(t, e, &recorder{answer: echo}, &Limits{Share: &Share{}})
		for range 20 {
			large := strings.Repeat("y", 60_000)
			other.send(text(large))
			other.expect(opText, []byte(large))
		}
		close(g.open)
		r.awaitMessages(t, conns*each)
		if n := len(r.closings()); n > 0 {
			t.Errorf("%d were dropped", n)
		}
		eventually(t, "nothing to be counted", func() bool { return e.MemoryInUse() == 0 })
	})
}

// Messages that wait for their turn are given up where they are too many, with their
// connections: the handler never gets them.
func TestWaitingMessagesAreDropped(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		const budget, conns = 4 << 20, 100
		e := newEngine(t, Options{Driver: driver, MemoryBudget: budget})
		g := newGate()
		r := &recorder{answer: g.answer}
		share := &Share{}
		for n := range conns {
			l := &Limits{Share: share}
			if n%2 == 0 {
				l.InFlight = 1 // with a message that waits for its own connection's
			}
			p, _ := adopt(t, e, r, l)
			_, _ = p.Write(join(text("small"), text(strings.Repeat("x", 100_000)), text(strings.Repeat("y", 100_000))))
		}
		r.await(t, "end of those who are too many", func() bool { return len(r.closed) >= conns/2 })
		if got := e.MemoryInUse(); got > budget+4*(2*readsPerTurn*loopBuffer) {
			t.Errorf("%d bytes are counted, of a budget of %d", got, budget)
		}
		for _, got := range r.closings() {
			if got != (closing{CloseTryAgainLater, ReasonUnprocessed}) {
				t.Fatalf("dropped with %v", got)
			}
		}
		close(g.open)
		eventually(t, "nothing in flight", func() bool { return e.dispatcher.running.Load() == 0 && e.MemoryInUse() == 0 })
		r.mu.Lock()
		defer r.mu.Unlock()
		if got := len(r.messages); got > 3*conns-len(r.closed) {
			t.Errorf("%d messages were handled, although %d connections were dropped with one waiting", got, len(r.closed))
		}
	})
}

// What is dropped is what waits for long, and not what has just come.
func TestOldestGoFirst(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{})
	r := &recorder{}
	var conns []*Conn
	for range 3 {
		p, c := adopt(t, e, r, nil)
		p.send(unfinished(false))
		eventually(t, "the message to be counted", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.unprocessed >= 90_000
		})
		conns = append(conns, c)
	}
	conns[1].mu.Lock()
	conns[1].unprocessedSince -= uint32(time.Hour / time.Millisecond)
	conns[1].mu.Unlock()
	e.DropSlow(e.Waiting() - 1)
	r.awaitClosed(t, CloseTryAgainLater, ReasonUnprocessed)
	for n, c := range conns {
		c.mu.Lock()
		if dropped := c.state != stateOpen; dropped != (n == 1) {
			t.Errorf("connection %d: dropped %t", n, dropped)
		}
		c.mu.Unlock()
	}
}

// What arrives whole and small counts nothing.
func TestSmallMessagesCountNothing(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		g := newGate()
		r := &recorder{answer: g.answer}
		p, _ := adopt(t, e, r, nil)
		p.send(text(strings.Repeat("x", smallestBuffer)))
		r.awaitMessages(t, 1)
		if got := e.MemoryInUse(); got != 0 {
			t.Errorf("a small message counts %d bytes", got)
		}
		p.send(text(strings.Repeat("x", 2*smallestBuffer)))
		r.awaitMessages(t, 2)
		if got := e.MemoryInUse(); got != 2*smallestBuffer {
			t.Errorf("a larger one counts %d bytes", got)
		}
		close(g.open)
		eventually(t, "nothing to be counted", func() bool { return e.MemoryInUse() == 0 })
	})
}
