package httpclient

import (
	"sync"
	"sync/atomic"
)

// slots are the sockets to one backend, those of all event loops and those of calls that
// block: no more than calls that may be under way. A call takes a slot when its turn has
// come. It is there: a slot that no call has is free, or belongs to an idle socket.
type slots struct {
	of      *registry
	backend string
	limit   int

	mu      sync.Mutex
	used    int       // guarded by mu: by calls and by idle sockets
	keepers []*keeper // guarded by mu
}

// keeper is where idle sockets to a backend are kept.
type keeper struct {
	slots *slots
	// drop closes an idle socket soon, if there is one that has no slot any more (see
	// surplus). It is called from any goroutine.
	drop func()
	host *host // nil: they are those of calls that block

	kept  int // guarded by slots.mu: idle sockets that no call has taken
	calls int // guarded by slots.mu: those that have a slot here
}

// take takes a slot for a call, and returns where it is to be used: by an idle socket
// there or, where there is none any more, by a new one.
func (k *keeper) take() (at *keeper) {
	s := k.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	at = k
	if k.kept == 0 && s.used >= s.limit {
		for _, other := range s.keepers {
			if other.kept > 0 {
				at = other
			}
		}
	}
	if at.kept > 0 {
		at.kept--
	} else {
		s.used++
		s.of.open.Add(1)
	}
	at.calls++
	return at
}

// move makes a slot that was taken elsewhere one of this keeper.
func (k *keeper) move(from *keeper) {
	k.slots.mu.Lock()
	defer k.slots.mu.Unlock()
	from.calls--
	k.calls++
}

// keep gives the slot of a call to its socket, which is idle now.
func (k *keeper) keep() {
	k.slots.mu.Lock()
	defer k.slots.mu.Unlock()
	k.calls--
	k.kept++
}

// free gives the slot of a call back.
func (k *keeper) free() {
	k.slots.mu.Lock()
	defer k.slots.mu.Unlock()
	k.calls--
	k.slots.used--
	k.slots.of.open.Add(-1)
}

// lose gives the slot of an idle socket back that was closed. It reports whether it had
// one still: a call may have taken it.
func (k *keeper) lose() bool {
	k.slots.mu.Lock()
	defer k.slots.mu.Unlock()
	if k.kept == 0 {
		return false
	}
	k.kept--
	k.slots.used--
	k.slots.of.open.Add(-1)
	return true
}

// surplus reports whether one of so many idle sockets has no slot any more: a call
// elsewhere has taken it.
func (k *keeper) surplus(idle int) bool {
	k.slots.mu.Lock()
	defer k.slots.mu.Unlock()
	return idle > k.kept
}

// registry has the slots of backends.
type registry struct {
	open *atomic.Int64 // slots that are used, and other sockets

	mu       sync.Mutex
	backends map[string]*slots // guarded by mu: those with keepers
}

// join adds a keeper to those of a backend.
func (r *registry) join(k *keeper, backend string, limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.backends[backend]
	if s == nil {
		if r.backends == nil {
			r.backends = make(map[string]*slots)
		}
		s = &slots{of: r, backend: backend, limit: limit}
		r.backends[backend] = s
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.slots = s
	s.keepers = append(s.keepers, k)
}

// quit removes the keeper, if it has neither sockets nor calls, and reports whether it
// did.
func (k *keeper) quit() bool {
	s := k.slots
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.kept > 0 || k.calls > 0 {
		return false
	}
	for i, other := range s.keepers {
		if other == k {
			s.keepers = append(s.keepers[:i], s.keepers[i+1:]...)
			break
		}
	}
	if len(s.keepers) == 0 {
		delete(s.of.backends, s.backend)
	}
	return true
}
