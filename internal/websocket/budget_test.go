package websocket

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// adoptDeaf makes a connection whose peer doesn't read, and whose kernel takes
// little.
func adoptDeaf(t *testing.T, e *Engine, h Handler, l *Limits) *Conn {
	t.Helper()
	p, c := adopt(t, e, h, l)
	if err := p.tcp().SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	return c
}

// What waits for a peer that doesn't read takes no more memory than the limit
// says, whatever the sizes of its messages.
func TestQueueCountsMemory(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		for _, size := range []int{1, 700, 1100, 4000, 4090, 5000, 17_000, 66_000, 131_072} {
			c := adoptDeaf(t, e, &recorder{}, &Limits{QueueBytes: 1 << 20})
			payload := bytes.Repeat([]byte("x"), size)
			for fill(t, c, payload) > 0 { // as long as the kernel takes some
			}
			c.mu.Lock()
			held := 0
			for b := c.out.head; b != nil; b = b.next {
				held += cap(b.data)
			}
			if held != int(c.out.held) || held > 1<<20+1<<18 {
				t.Errorf("messages of %d bytes: %d bytes are held, %d counted", size, held, c.out.held)
			}
			if waiting := unsent(c); waiting < held/2 {
				t.Errorf("messages of %d bytes: %d bytes wait in %d", size, waiting, held)
			}
			c.mu.Unlock()
		}
	})
}

// Answers to pings that wait behind something are counted as well.
func TestWaitingPongsAreCounted(t *testing.T) {
	t.Parallel()
	forPlainDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, WriteTimeout: time.Hour})
		p, c := adopt(t, e, &recorder{}, &Limits{QueueBytes: 8<<20 + 512<<10}) // no room for a ninth, but for a pong
		fill(t, c, make([]byte, 1<<20-headerSize(1<<20)))                      // its buffer is full
		p.send(control(opPing, "hello"))
		eventually(t, "the answer to wait, and to be counted", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return bytes.HasSuffix(c.out.tail.data, []byte("hello")) && c.out.counted == c.out.held
		})
	})
}

// Past the budget of the engine the slowest readers are dropped, and told so;
// who reads is not touched, and the count comes back to nothing.
func TestQueueBudget(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		const budget = 4 << 20
		e := newEngine(t, Options{Driver: driver, MemoryBudget: budget, WriteTimeout: time.Hour})
		reader, _ := adopt(t, e, &recorder{answer: echo}, nil)
		reader.send(text("before"))
		reader.expect(opText, []byte("before"))
		payload := bytes.Repeat([]byte("x"), 100_000)
		var slow []*recorder
		var conns []*Conn
		for range 12 {
			r := &recorder{}
			c := adoptDeaf(t, e, r, nil)
			slow, conns = append(slow, r), append(conns, c)
		}
		eventually(t, "a slow reader to be dropped", func() bool {
			dropped := 0
			for n, c := range conns {
				if err := c.Send(Binary, payload); err != nil && !errors.Is(err, ErrQueueFull) && !errors.Is(err, ErrClosed) {
					t.Fatal(err)
				}
				dropped += len(slow[n].closings())
			}
			return dropped > 0
		})
		eventually(t, "the budget to be kept", func() bool { return e.Waiting() <= budget })
		for _, r := range slow {
			for _, got := range r.closings() {
				if got != (closing{CloseTryAgainLater, ReasonSlow}) {
					t.Errorf("dropped with %v", got)
				}
			}
		}
		reader.send(text("after"))
		reader.expect(opText, []byte("after"))
		for _, c := range conns {
			c.Abort()
		}
		eventually(t, "nothing to wait", func() bool { return e.Waiting() == 0 })
	})
}

// Those for which much has waited for long go first.
func TestDropSlow(t *testing.T) {
	t.Parallel()
	e := newEngine(t, Options{Driver: DriverGoroutine}) // which writes only when it is told to
	var conns []*Conn
	for _, held := range []uint32{1 << 20, 1 << 10, 4 << 20} {
		r := &recorder{}
		_, c := adopt(t, e, r, nil)
		eventually(t, "the first write to end", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return !c.driver.(*goroutine).writing })
		c.mu.Lock()
		c.out.frame(opText, make([]byte, held))
		c.out.progress = 1
		c.countQueueLocked()
		c.mu.Unlock()
		conns = append(conns, c)
	}
	e.DropSlow(e.Waiting() - 1)
	for n, c := range conns {
		c.mu.Lock()
		if dropped := c.state == stateClosed; dropped != (n == 2) {
			t.Errorf("connection %d: dropped %v", n, dropped)
		}
		c.mu.Unlock()
	}
}
