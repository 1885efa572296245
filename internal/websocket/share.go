package websocket

import "sync/atomic"

// Share is what connections that belong together, those of one API, may have of
// the engine's Message calls: at most as many as are left to others. One alone
// gets half of them, two that fill up together a third each; a few are every
// share's own, beyond Options.InFlight if need be. The zero value is ready; it is
// for one engine.
type Share struct {
	running atomic.Int32 // written with dispatcher.mu held

	waiting []*message // guarded by dispatcher.mu, and so is first
	first   int        // index of the first in waiting
}

// pop takes the message that has waited longest. dispatcher.mu is held.
func (s *Share) pop() *message {
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
// connections: half of what the share can still get. The zero value is ready.
type Part struct {
	running atomic.Int32
	_       [60]byte // alone on its cache line
}

// Enter counts a Message call of c that goes on to a backend. It returns false,
// and counts nothing, when too many are there; one may always be. Who entered
// leaves.
func (p *Part) Enter(c *Conn) bool {
	d := &c.engine.dispatcher
	left := d.free() - int(d.shareOf(c).running.Load())
	if n := int(p.running.Add(1)); n > max(1, left/2) {
		p.running.Add(-1)
		return false
	}
	return true
}

// Leave takes back an Enter that returned true.
func (p *Part) Leave() { p.running.Add(-1) }
