package websocket

import "sync/atomic"

// Share is what connections that belong together, those of one API, may have of
// the engine's messages in flight: at most as many as are left to others. One alone
// gets half of them, two that fill up together a third each; a few are every
// share's own, beyond Options.InFlight if need be. In the same way, but with nothing
// beyond it, the memory of their messages is shared that Options.MemoryBudget leaves to
// messages in flight. The zero value is ready; it is for one engine.
type Share struct {
	running    atomic.Int32 // written with dispatcher.mu held
	inBackends atomic.Int32 // of them in a Part

	memory  int64      // of messages in flight; guarded by dispatcher.mu, as what follows
	waiting []*Message // those whose turn has not come
	first   int        // index of the first in waiting
}

// popLocked takes the message that has waited longest. dispatcher.mu is held.
func (s *Share) popLocked() *Message {
	m := s.waiting[s.first]
	s.waiting[s.first] = nil
	if s.first++; s.first == len(s.waiting) {
		s.waiting, s.first = s.waiting[:0], 0
	} else if s.first > len(s.waiting)/2 {
		n := copy(s.waiting, s.waiting[s.first:])
		clear(s.waiting[n:])
		s.waiting, s.first = s.waiting[:n], 0
	}
	return m
}

// Part is what the calls to one backend may have of the share of their
// connections: as many as are left of it to other backends. One alone gets half of
// what the share can get. The zero value is ready.
type Part struct {
	running atomic.Int32
	_       [60]byte // alone on its cache line
}

// Enter counts a message of c that goes on to a backend. It returns false,
// and counts nothing, when too many are there; one may always be. Who entered
// leaves.
func (p *Part) Enter(c *Conn) bool {
	d := &c.engine.dispatcher
	s := d.shareOf(c)
	most := (d.free() + int(s.running.Load())) / 2 // of the share, if no other grows
	left := most - int(s.inBackends.Load())
	if n := int(p.running.Add(1)); n > max(1, left) {
		p.running.Add(-1)
		return false
	}
	s.inBackends.Add(1)
	return true
}

// Leave takes back an Enter that returned true.
func (p *Part) Leave(c *Conn) {
	p.running.Add(-1)
	c.engine.dispatcher.shareOf(c).inBackends.Add(-1)
}
