package websocket

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Reading is stopped and goes on in any order of events: messages that wait for
// others of their connection or of all, held connections, turns that are over, sockets
// that are full, closes from both sides. No message is lost or overtaken, nobody stands
// still, and what the package comment says holds after every step.
func TestReading(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, Loops: 2, InFlight: 3})
		over := make(chan struct{})
		var others, clients sync.WaitGroup
		others.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					e.ReleaseHeld()
					return
				default:
				}
				e.HoldGreediest()
				e.checkInvariants()
				if n%3 == 0 {
					e.ReleaseHeld()
				}
				time.Sleep(time.Millisecond) // else all are held all the time
			}
		})
		shares := []*Share{{}, {}}
		for n := range 24 {
			clients.Go(func() {
				random := rand.New(rand.NewPCG(uint64(n), 7))
				for round := range 10 {
					readingRound(t, e, &Limits{InFlight: 1, Share: shares[random.IntN(2)]}, random, round)
				}
			})
		}
		clients.Wait()
		close(over)
		others.Wait()
	})
}

// readingRound is the life of one connection.
func readingRound(t *testing.T, e *Engine, limits *Limits, random *rand.Rand, round int) {
	r := &recorder{}
	if random.IntN(2) == 0 {
		r.answer = echo
	}
	p, c := adopt(t, e, r, limits)
	defer p.Close()
	var stream []byte
	var want []string
	for m := range 1 + random.IntN(2*turnFrames) {
		message := fmt.Sprint(m, strings.Repeat("x", random.IntN(20)))
		if random.IntN(100) == 0 {
			message += strings.Repeat("y", 40_000)
		}
		stream, want = append(stream, text(message)...), append(want, "1"+message)
		if random.IntN(4) == 0 {
			stream = append(stream, control(opPing, "hello")...)
		}
	}
	for len(stream) > 0 {
		n := min(len(stream), 1+random.IntN(100_000))
		if _, err := p.Write(stream[:n]); err != nil {
			t.Errorf("write: %v", err)
			return
		}
		stream = stream[n:]
		p.check()
	}
	if round%5 == 4 { // it may end with messages waiting
		ends := []func(){func() { c.Close(4000, "bye") }, c.Abort, func() { p.Close() }, func() { _, _ = p.Write(closeFrame(4001, "")) }}
		ends[random.IntN(len(ends))]()
		p.check()
		r.await(t, "Closed", func() bool { return len(r.closed) > 0 || r.answer != nil })
		c.Abort()
		return
	}
	if got := r.awaitMessages(t, len(want)); !slices.Equal(got, want) {
		t.Errorf("%d messages arrived otherwise than they were sent: %.200q", len(got), got)
	}
	c.Abort()
	r.awaitClosed(t, CloseAbnormal, "")
}

// A message that ends what was left over of a turn, and has to wait, stops reading as
// any other does.
func TestLastOfTurnWaits(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		g := newGate()
		r := &recorder{answer: g.answer}
		buffered := bytes.Repeat(text("buffered"), turnFrames+1)
		p, c := adoptSocket(t, newEngine(t, Options{Driver: driver}), Socket{Buffered: buffered, Handler: r, Limits: &Limits{InFlight: turnFrames}})
		eventually(t, "reading to stop", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.waiting != nil && !c.reading })
		p.send(text("sent"))
		r.awaitMessages(t, turnFrames)
		close(g.open)
		r.awaitMessages(t, turnFrames+2)
	})
}
