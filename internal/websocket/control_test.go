package websocket

import (
	"bytes"
	"fmt"
	"testing"
)

// Of many pings at once the last is answered, and few of the others.
func TestPongsAreCoalesced(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, nil)
		const pings = 20_000
		var flood bytes.Buffer
		for n := range pings {
			flood.Write(control(opPing, fmt.Sprint(n)))
		}
		go p.Write(flood.Bytes())
		pongs := 0
		for last := fmt.Sprint(pings - 1); ; {
			op, payload := p.frame()
			if op != opPong {
				t.Fatalf("frame %d %q", op, payload)
			}
			if pongs++; string(payload) == last {
				break
			}
		}
		if pongs > pings/4 {
			t.Errorf("%d of %d pings were answered", pongs, pings)
		}
		r.await(t, "call of Control for each", func() bool { return r.controls == pings })
		p.send(text("still here"))
		r.awaitMessages(t, 1)
	})
}

// A few pings at once are answered one by one.
func TestPongs(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), &recorder{}, &Limits{ControlRate: 100})
		for range 3 {
			var all []byte
			for n := range 10 {
				all = append(all, control(opPing, fmt.Sprint(n))...)
			}
			p.send(all)
			for n := range 10 {
				p.expect(opPong, fmt.Append(nil, n))
			}
		}
	})
}

// A peer that sends more pings or pongs than its rate is closed with 1008, and
// nothing behind is read.
func TestControlRate(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		for name, frame := range map[string][]byte{"ping": control(opPing, "x"), "pong": control(opPong, "")} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := &recorder{}
				p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{ControlRate: 2})
				p.send(bytes.Repeat(frame, 10)) // five seconds' worth
				p.send(text("in time"))
				r.awaitMessages(t, 1)
				p.send(bytes.Repeat(frame, 1000), text("too late"))
				op, payload := p.frame()
				for ; op == opPong; op, payload = p.frame() {
				}
				if op != opClose || !bytes.Equal(payload, closeBody(ClosePolicyViolation, "Too many control frames")) {
					t.Errorf("frame %d %q, want a close frame with 1008", op, payload)
				}
				r.awaitClosed(t, ClosePolicyViolation, "Too many control frames")
				if messages := r.awaitMessages(t, 1); len(messages) > 1 {
					t.Errorf("messages %q", messages)
				}
			})
		}
	})
}

// A message that fills the queue alone leaves room for the answer to a ping.
func TestPongBehindLargeMessage(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{QueueBytes: 10})
		large := make([]byte, 20<<20)
		if err := c.Send(Binary, large); err != nil {
			t.Fatal(err)
		}
		p.send(bytes.Repeat(control(opPing, "hello"), 1000)) // of which some must do without an answer
		r.await(t, "ping", func() bool { return r.controls == 1000 })
		c.mu.Lock()
		if behind := int(c.out.held) - cap(c.out.head.data); behind > backlogBuffer {
			t.Errorf("%d bytes of answers wait", behind)
		}
		c.mu.Unlock()
		p.expect(opBinary, large)
		p.expect(opPong, []byte("hello"))
	})
}

// A turn of one connection ends after some frames, however many have come.
func TestTurns(t *testing.T) {
	t.Parallel()
	_, c := adopt(t, newEngine(t, Options{Driver: DriverAuto}), &recorder{}, nil)
	c.mu.Lock()
	c.reading = true // nothing comes from the socket, which another goroutine may read
	c.mu.Unlock()
	defer c.releaseReading(false)
	flood := bytes.Repeat(control(opPing, ""), 3*turnFrames)
	for turn := range 3 {
		taken := c.decode(flood)
		if want := len(flood) / (3 - turn); taken != want {
			t.Fatalf("turn %d took %d bytes, want %d", turn, taken, want)
		}
		flood = flood[taken:]
	}
}

// Messages from before a violation, or a close frame, are handed on and answered
// before the connection ends, in whatever pieces they come.
func TestAnswersBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]struct {
		frame []byte
		code  int
		why   string
	}{
		"reserved bit": {clientFrame(finBit|0x40|opText, "bad"), CloseProtocolError, "Reserved bit set"},
		"not UTF-8":    {text("\xff"), CloseInvalidPayload, "Text is not UTF-8"},
		"close":        {closeFrame(4000, "bye"), 4000, "bye"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forDrivers(t, func(t *testing.T, driver Driver) {
				e := newEngine(t, Options{Driver: driver, AnswerTimeout: patience})
				let := make(chan struct{})
				r := &recorder{answer: func(c *Conn, op Opcode, payload []byte) {
					<-let
					echo(c, op, payload)
				}}
				p, c := adopt(t, e, r, nil)
				p.send(text("one"), text("two"), last.frame, text("behind"))
				r.awaitMessages(t, 2)
				eventually(t, "the end to be read", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.state == stateEnding })
				if closings := r.closings(); len(closings) > 0 {
					t.Errorf("Closed before the answers: %v", closings)
				}
				close(let)
				answers := map[string]bool{}
				for range 2 {
					op, payload := p.frame()
					if op != opText {
						t.Fatalf("frame %d %q before the answers", op, payload)
					}
					answers[string(payload)] = true
				}
				if !answers["one"] || !answers["two"] {
					t.Errorf("answers %v", answers)
				}
				p.expect(opClose, closeBody(last.code, last.why))
				p.expectEnd()
				r.awaitClosed(t, last.code, last.why)
				if messages := r.awaitMessages(t, 2); len(messages) != 2 {
					t.Errorf("messages %q", messages)
				}
			})
		})
	}
}

// Who takes long for an answer does not hold up the end.
func TestAnswersThatTakeLong(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, AnswerTimeout: 1})
		g := newGate()
		r := &recorder{answer: g.answer}
		p, c := adopt(t, e, r, nil)
		p.send(text("hangs"), closeFrame(1000, ""))
		p.expect(opClose, closeBody(1000, ""))
		p.expectEnd()
		r.awaitClosed(t, 1000, "")
		if err := c.Send(Text, []byte("late")); err != ErrClosed {
			t.Errorf("Send: %v", err)
		}
		close(g.open)
	})
}
