package websocket

import (
	"slices"
	"sync"
	"sync/atomic"
)

// message is a whole message on its way to the handler.
type message struct {
	conn    *Conn
	op      Opcode
	payload *buffer
	waited  bool // reading has stopped for it

	submitted bool // guarded by Conn.mu: the dispatcher has it, or has had it
}

var messagePool = sync.Pool{New: func() any { return new(message) }}

func newMessage(c *Conn, op Opcode, payload *buffer) *message {
	m := messagePool.Get().(*message)
	*m = message{conn: c, op: op, payload: payload, submitted: true}
	return m
}

func (m *message) free() {
	m.payload.free()
	*m = message{}
	messagePool.Put(m)
}

// dispatcher runs Message calls, each in a goroutine of its own, up to a bound
// over all connections, and to a bound of each share. Past one messages wait, in
// the order they came to their share; since a connection with a waiting message
// isn't read, each has at most one there.
type dispatcher struct {
	limit   int
	running atomic.Int32 // written with mu held

	mu    sync.Mutex // guards what follows, and all shares
	whole Share      // of connections without one: the bound over all is its only one
	ring  []*Share   // those with waiting messages, whose turn is next first
}

// submit starts the message's call. False means that the message waits and its
// connection must not be read until Conn.delivered.
func (d *dispatcher) submit(m *message) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.shareOf(m.conn)
	if !d.mayRunLocked(s) {
		m.waited = true
		d.waitLocked(s, m)
		return false
	}
	d.countLocked(s, 1)
	go d.run(m)
	return true
}

// run calls the handler for m and then for what waits.
func (d *dispatcher) run(m *message) {
	for m != nil {
		c := m.conn
		if m.waited {
			c.delivered()
		}
		c.handler.Message(c, m.op, m.payload.data)
		m.free()
		m = d.next(d.shareOf(c), c.answered())
		c.engine.live.Done()
	}
}

// next is called when a call of a share has ended. It returns the message whose turn it
// is, nil where there is none; others that may run now are started. The one that waited
// for its own connection's bound, if any, lines up behind the others.
func (d *dispatcher) next(s *Share, own *message) (next *message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.countLocked(s, -1)
	if own != nil {
		if len(d.ring) == 0 && d.mayRunLocked(s) {
			d.countLocked(s, 1)
			return own
		}
		d.waitLocked(s, own)
	}
	for m := d.pickLocked(); m != nil; m = d.pickLocked() {
		if next == nil {
			next = m
		} else {
			go d.run(m)
		}
	}
	return next
}

// pickLocked takes the message that is next of those that may run, and counts it; nil:
// none may.
func (d *dispatcher) pickLocked() *message {
	for i, s := range d.ring {
		if !d.mayRunLocked(s) {
			continue
		}
		d.ring = slices.Delete(d.ring, i, i+1)
		m := s.popLocked()
		if s.first < len(s.waiting) {
			d.ring = append(d.ring, s)
		}
		d.countLocked(s, 1)
		return m
	}
	return nil
}

// waitLocked has a message wait for its turn.
func (d *dispatcher) waitLocked(s *Share, m *message) {
	if s.first == len(s.waiting) {
		d.ring = append(d.ring, s)
	}
	s.waiting = append(s.waiting, m)
}

func (d *dispatcher) countLocked(s *Share, n int32) {
	d.running.Add(n)
	s.running.Add(n)
}

func (d *dispatcher) shareOf(c *Conn) *Share {
	if s := c.limits.Share; s != nil {
		return s
	}
	return &d.whole
}

// free is how many more calls there may be.
func (d *dispatcher) free() int { return d.limit - int(d.running.Load()) }

// leastShare is the part of all calls that every share has come what may.
const leastShare = 1024

// mayRunLocked reports whether one more call of a share may begin.
func (d *dispatcher) mayRunLocked(s *Share) bool {
	if s == &d.whole {
		return d.free() > 0
	}
	return int(s.running.Load()) < max(d.free(), d.limit/leastShare, 1)
}
