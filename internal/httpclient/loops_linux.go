package httpclient

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// loops are the client's branches on the event loops that calls were started on. The zero
// value has none.
type loops struct {
	branches atomic.Pointer[[]*branch] // replaced as a whole, since it is read for each call

	mu     sync.Mutex // held while it is replaced
	closed bool       // guarded by mu
}

// branch is what a client has on one event loop: its sockets, and the calls that use them.
// What runs on the loop needs no lock.
type branch struct {
	client  *Client
	loop    *eventloop.Loop
	watches watches
	ended   sync.Mutex // held by what runs instead of on the loop, when that has ended

	hosts   map[string]*host // by host:port
	request []byte           // the one that is being written
	sweeper eventloop.Timer  // runs while there are hosts
	sweeps  int              // how often it came due
	closed  bool             // nothing is kept for the next call
}

// maxSweeps is how often an idle socket of a loop may have been looked at to be closed
// the next time.
const maxSweeps = int(idleTimeout / sweepEvery)

// host is a backend as one loop sees it.
type host struct {
	keeper
	branch  *branch
	backend string         // host:port
	ip      netip.AddrPort // the same, if it is an address; otherwise it is invalid

	first, last *socket // the idle ones, the last used at the end
	idle        int     // how many they are
}

// of returns the client's branch on a loop; nil when the client is closed.
func (l *loops) of(c *Client, loop *eventloop.Loop) *branch {
	if b := l.find(loop); b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.find(loop); b != nil || l.closed {
		return b
	}
	b := &branch{client: c, loop: loop, hosts: make(map[string]*host)}
	all := []*branch{b}
	if old := l.branches.Load(); old != nil {
		all = append(all, *old...)
	}
	l.branches.Store(&all)
	return b
}

func (l *loops) find(loop *eventloop.Loop) *branch {
	if all := l.branches.Load(); all != nil {
		for _, b := range *all {
			if b.loop == loop {
				return b
			}
		}
	}
	return nil
}

// close closes the sockets that no call uses, and the others after their call.
func (l *loops) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	if all := l.branches.Load(); all != nil {
		for _, b := range *all {
			b.post(b.close)
		}
	}
}

// post has a function run on the loop or, when that has ended, in its stead.
func (b *branch) post(f func()) {
	if b.loop.Post(f) {
		return
	}
	go func() {
		b.loop.Close() // waits until it has ended
		b.ended.Lock()
		defer b.ended.Unlock()
		f()
	}()
}

func (b *branch) close() {
	b.closed = true
	b.watches.close()
	b.sweep()
}

// host returns a backend that is about to be called.
func (b *branch) host(backend string) *host {
	if h := b.hosts[backend]; h != nil {
		return h
	}
	h := &host{branch: b, backend: backend}
	if ip, err := netip.ParseAddrPort(backend); err == nil && ip.Addr().Zone() == "" { // others are left to package net
		h.ip = netip.AddrPortFrom(ip.Addr().Unmap(), ip.Port())
	}
	h.keeper.host = h
	h.drop = func() {
		b.post(func() {
			if h.surplus(h.idle) {
				h.pop().close()
			}
		})
	}
	b.client.sockets.join(&h.keeper, backend, b.client.pool.limit)
	b.hosts[backend] = h
	if !b.sweeper.Running() && !b.closed {
		b.loop.StartTimer(&b.sweeper, sweepEvery, b)
	}
	return h
}

// Expired implements eventloop.Expirer.
func (b *branch) Expired(*eventloop.Timer) {
	b.sweeps++
	b.sweep()
	if len(b.hosts) > 0 && !b.closed {
		b.loop.StartTimer(&b.sweeper, sweepEvery, b)
	}
}

// sweep closes what was idle for long, and forgets the backends that nothing is left of.
func (b *branch) sweep() {
	for backend, h := range b.hosts {
		for s := h.first; s != nil && (b.closed || b.sweeps-s.since > int(mayIdle(h.idle)/sweepEvery)); s = h.first {
			h.remove(s)
			s.close()
			h.lose()
		}
		if h.first == nil && h.quit() {
			delete(b.hosts, backend)
		}
	}
}

// push makes a socket the idle one that was used last.
func (h *host) push(s *socket) {
	s.since = h.branch.sweeps
	if s.idleBefore = h.last; s.idleBefore == nil {
		h.first = s
	} else {
		s.idleBefore.idleAfter = s
	}
	h.last = s
	h.idle++
}

// pop takes the idle socket that was used last; nil: there is none.
func (h *host) pop() *socket {
	s := h.last
	if s != nil {
		h.remove(s)
	}
	return s
}

// remove takes a socket out of the idle ones.
func (h *host) remove(s *socket) {
	if s.idleBefore == nil {
		h.first = s.idleAfter
	} else {
		s.idleBefore.idleAfter = s.idleAfter
	}
	if s.idleAfter == nil {
		h.last = s.idleBefore
	} else {
		s.idleAfter.idleBefore = s.idleBefore
	}
	s.idleBefore, s.idleAfter = nil, nil
	h.idle--
}
