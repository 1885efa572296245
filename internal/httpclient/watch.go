package httpclient

import (
	"context"
	"sync"
	"time"
)

// watches interrupt the calls whose contexts end. Most calls of a gateway have
// the same context: it is watched once for all of them, and stays watched between
// them. context.AfterFunc for each call would take allocations and the context's
// lock. The zero value watches none.
type watches struct {
	mu     sync.Mutex
	byDone map[<-chan struct{}]*watch // guarded by mu
	kept   *watch                     // guarded by mu: the one without calls, or nil
	closed bool                       // guarded by mu: watches without calls are not kept
}

// interruptible is a call that can be made to end. What it does must not block.
type interruptible interface{ interrupt() }

// watch is a context, and the calls that end with it. Its members
// are guarded by the mutex of watches.
type watch struct {
	done  <-chan struct{}
	stop  func() bool // stops to watch the context
	calls map[interruptible]struct{}
	ended bool // the context has ended
}

// past is a deadline that makes reads and writes fail at once.
var past = time.Unix(1, 0)

// watch interrupts a call when the context ends, until
// unwatch is called with what it returns: nil for a context that never ends.
func (s *watches) watch(ctx context.Context, c interruptible) *watch {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byDone[done]
	switch {
	case w == nil:
		w = &watch{done: done, calls: make(map[interruptible]struct{})}
		w.stop = context.AfterFunc(ctx, func() { s.end(w) })
		if s.byDone == nil {
			s.byDone = make(map[<-chan struct{}]*watch)
		}
		s.byDone[done] = w
	case w == s.kept:
		s.kept = nil
	}
	w.calls[c] = struct{}{}
	return w
}

// unwatch leaves the call alone from now on, and reports whether the
// context has ended the call.
func (s *watches) unwatch(w *watch, c interruptible) (ended bool) {
	if w == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(w.calls, c)
	if !w.ended && len(w.calls) == 0 {
		s.forgetKeptLocked()
		if s.kept = w; s.closed {
			s.forgetKeptLocked()
		}
	}
	return w.ended
}

// end interrupts the calls of a context that has ended.
func (s *watches) end(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.ended = true
	for c := range w.calls {
		c.interrupt()
	}
	delete(s.byDone, w.done)
	if s.kept == w {
		s.kept = nil
	}
}

// close stops to watch contexts: those without calls now, the others when their
// last call ends.
func (s *watches) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.forgetKeptLocked()
}

// forgetKeptLocked stops to watch the context that has no calls.
func (s *watches) forgetKeptLocked() {
	if s.kept != nil {
		s.kept.stop()
		delete(s.byDone, s.kept.done)
		s.kept = nil
	}
}
