package websocket

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// onLoop is a Handler that echoes at once, and holds messages "hold" until they are released. What it notes has no lock: it
// is for an engine with one loop, on which alone Message is called.
type onLoop struct {
	discard
	begun []string
	held  chan *Message
}

func (h *onLoop) Message(m *Message) {
	h.begun = append(h.begun, string(m.Payload()))
	if m.Loop() == nil {
		h.begun = append(h.begun, "in a goroutine")
	}
	if strings.HasPrefix(string(m.Payload()), "hold") {
		h.held <- m
		return
	}
	_ = m.Conn().Send(m.Opcode(), m.Payload())
	m.Done()
}

// Messages begin on the loop of their connection, in their order, those that have waited as well, and however many of
// them are done at once.
func TestMessagesBeginOnTheirLoop(t *testing.T) {
	t.Parallel()
	if !haveLoops {
		t.Skip("the event loop is for Linux only")
	}
	e := newEngine(t, Options{Driver: DriverEventLoop, Loops: 1, InFlight: 2})
	h := &onLoop{held: make(chan *Message, 10)}
	p, _ := adopt(t, e, h, &Limits{InFlight: 1})
	var all []byte
	for i := range 3000 {
		all = append(all, text(fmt.Sprint(i))...)
		if i%1000 == 10 {
			all = append(all, text(fmt.Sprint("hold", i))...)
		}
	}
	p.send(all)
	others := make([]*peer, 500)
	for i := range others {
		others[i], _ = adopt(t, e, h, nil)
	}
	for i := range 3000 {
		p.expect(opText, fmt.Append(nil, i))
		if i%1000 == 10 {
			one := <-h.held
			others[0].send(text("hold all"))
			two := <-h.held
			for _, other := range others {
				other.send(text("waits"))
			}
			go two.Done()
			for _, other := range others {
				other.expect(opText, []byte("waits"))
			}
			go one.Done()
		}
	}
	done := make(chan struct{})
	e.loops[0].Post(func() {
		defer close(done)
		next := 0
		for _, message := range h.begun {
			switch {
			case message == "in a goroutine":
				t.Error("a message began in a goroutine")
			case message == fmt.Sprint(next):
				next++
			case message != "waits" && !strings.HasPrefix(message, "hold"):
				t.Errorf("message %s began after %d", message, next-1)
			}
		}
	})
	<-done
}

// counting is a Handler that counts pings, on the only loop of its engine.
type counting struct {
	discard
	pings int
}

func (h *counting) Control(*Conn) { h.pings++ }

// What is left over of a connection's turn waits for one more turn at a time, however often it is asked for: others have
// theirs in between.
func TestTurnsDoNotPileUp(t *testing.T) {
	needsLoop(t)
	t.Parallel()
	e := newEngine(t, Options{Driver: DriverEventLoop, Loops: 1})
	l, h := e.loops[0], &counting{}
	leave := make(chan struct{})
	l.Post(func() { <-leave })
	pings := bytes.Repeat(control(opPing, ""), 20*turnFrames)
	_, c := adoptSocket(t, e, Socket{Buffered: pings, Handler: h})
	for range 10 {
		c.mu.Lock()
		l.resumeLocked(c)
		c.mu.Unlock()
	}
	seen := make(chan int, 1)
	l.Post(func() { seen <- h.pings })
	close(leave)
	if n := <-seen; n > 2*turnFrames { // one was asked for, and one came with the first event of the socket
		t.Errorf("%d pings were taken before others had their turn, want %d at most", n, 2*turnFrames)
	}
	eventually(t, "all pings to be taken", func() bool {
		l.Post(func() { seen <- h.pings })
		return <-seen == 20*turnFrames
	})
}
