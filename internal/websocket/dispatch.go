package websocket

import (
	"slices"
	"sync"
	"sync/atomic"
)

// dispatcher holds messages in flight up to a bound over all connections, and to a bound
// of each share: of their number, and of their memory. Past one messages wait, in the
// order they came to their share; since a connection with a waiting message isn't read,
// each has at most one there.
type dispatcher struct {
	budget  *budget
	limit   int
	running atomic.Int32 // written with mu held

	mu    sync.Mutex // guards what follows, and all shares
	whole Share      // of connections without one: the bound over all is its only one
	ring  []*Share   // those with waiting messages, whose turn is next first
}

// submit counts a message, which the caller then begins. False means that the message
// waits: it is begun when its turn comes, and its connection must not be read until
// Conn.delivered.
func (d *dispatcher) submit(m *Message) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.shareOf(m.conn)
	if !d.mayRunLocked(s, m) || m.memory > 0 && s.first < len(s.waiting) { // or else small messages leave no room for a large one
		d.waitLocked(s, m)
		return false
	}
	d.countLocked(s, 1, int64(m.memory))
	return true
}

// ended is called when a message of a share is done, which counted memory. It has those
// begun whose turn has come. The one that waited for its own connection's bound, if any,
// lines up behind the others.
func (d *dispatcher) ended(s *Share, memory int64, own *Message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.countLocked(s, -1, -memory)
	if own != nil {
		d.waitLocked(s, own)
	}
	for m := d.pickLocked(); m != nil; m = d.pickLocked() {
		m.beginLater()
	}
}

// pickLocked takes the message that is next of those that may run, and counts it; nil:
// none may.
func (d *dispatcher) pickLocked() *Message {
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
func (d *dispatcher) waitLocked(s *Share, m *Message) {
	if s.first == len(s.waiting) {
		d.ring = append(d.ring, s)
	}
	m.queued = true
	s.waiting = append(s.waiting, m)
}

// discard frees what a message holds that waits for its turn; the handler won't get it.
// It does nothing when its turn has come. The lock of the message's connection is held.
func (d *dispatcher) discard(m *Message) {
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
func (d *dispatcher) mayRunLocked(s *Share, m *Message) bool {
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
