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
	payload *buffer // nil: it was discarded
	memory  uint32  // what payload counts in the budget
	waited  bool    // reading has stopped for it
	queued  bool    // guarded by dispatcher.mu: it is in Share.waiting

	submitted bool // guarded by Conn.mu: the dispatcher has it, or has had it
}

var messagePool = sync.Pool{New: func() any { return new(message) }}

func newMessage(c *Conn, op Opcode, payload *buffer) *message {
	m := messagePool.Get().(*message)
	*m = message{conn: c, op: op, payload: payload, memory: countedSize(payload), submitted: true}
	return m
}

func (m *message) free() {
	m.payload.free()
	*m = message{}
	messagePool.Put(m)
}

// dispatcher runs Message calls, each in a goroutine of its own, up to a bound
// over all connections, and to a bound of each share: of their number, and of the
// memory of their messages. Past one messages wait, in the order they came to their
// share; since a connection with a waiting message isn't read, each has at most one
// there.
type dispatcher struct {
	budget  *budget
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
	if !d.mayRunLocked(s, m) || m.memory > 0 && s.first < len(s.waiting) { // or else small messages leave no room for a large one
		m.waited = true
		d.waitLocked(s, m)
		return false
	}
	d.countLocked(s, 1, int64(m.memory))
	go d.run(m)
	return true
}

// run calls the handler for m and then for what waits.
func (d *dispatcher) run(m *message) {
	for m != nil {
		c, memory := m.conn, int64(m.memory)
		if m.waited {
			c.delivered()
		}
		if m.payload != nil {
			c.handler.Message(c, m.op, m.payload.data)
		}
		m.free()
		m = d.next(d.shareOf(c), memory, c.answered())
		c.engine.live.Done()
	}
}

// next is called when a call of a share has ended, whose message counted memory. It returns the message whose turn it
// is, nil where there is none; others that may run now are started. The one that waited
// for its own connection's bound, if any, lines up behind the others.
func (d *dispatcher) next(s *Share, memory int64, own *message) (next *message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.countLocked(s, -1, -memory)
	if own != nil {
		if len(d.ring) == 0 && d.mayRunLocked(s, own) {
			d.countLocked(s, 1, int64(own.memory))
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
		if !d.mayRunLocked(s, s.waiting[s.first]) {
			continue
		}
		d.ring = slices.Delete(d.ring, i, i+1)
		m := s.popLocked()
		if s.first < len(s.waiting) {
			d.ring = append(d.ring, s)
		}
		m.queued = false
		d.countLocked(s, 1, int64(m.memory))
		return m
	}
	return nil
}

// waitLocked has a message wait for its turn.
func (d *dispatcher) waitLocked(s *Share, m *message) {
	if s.first == len(s.waiting) {
		d.ring = append(d.ring, s)
	}
	m.queued = true
	s.waiting = append(s.waiting, m)
}

// discard frees what a message holds that waits for its turn; the handler won't get it.
// It does nothing when its turn has come. The lock of the message's connection is held.
func (d *dispatcher) discard(m *message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.queued {
		m.payload.free()
		m.payload, m.memory = nil, 0
	}
}

// countLocked counts n calls of a share, with messages that take memory.
func (d *dispatcher) countLocked(s *Share, n int32, memory int64) {
	d.running.Add(n)
	s.running.Add(n)
	if memory != 0 {
		s.memory += memory
		d.budget.inFlight.Add(memory)
	}
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

// mayRunLocked reports whether the call with one more message of a share may begin.
func (d *dispatcher) mayRunLocked(s *Share, m *message) bool {
	if m.memory > 0 && !d.memoryFitsLocked(s, int64(m.memory)) {
		return false
	}
	if s == &d.whole {
		return d.free() > 0
	}
	return int(s.running.Load()) < max(d.free(), d.limit/leastShare, 1)
}

// memoryFitsLocked reports whether a message of a share that takes memory may be in flight
// with the others, which may take half of the budget together. One alone always may.
func (d *dispatcher) memoryFitsLocked(s *Share, memory int64) bool {
	inFlight := d.budget.inFlight.Load()
	left := d.budget.limit/2 - inFlight
	if s != &d.whole {
		left -= s.memory
	}
	return inFlight == 0 || memory <= left
}
