package integration

import (
	"context"
	"net"
	"sync"
	"time"
)

// watches end the calls whose contexts end. Most calls of a gateway have the
// same context: it is watched once for all of them, and goes on being watched
// between them, where context.AfterFunc for each call would take allocations
// and the context's lock.
type watches struct {
	mu     sync.Mutex
	byDone map[<-chan struct{}]*watch // guarded by mu
	kept   *watch                     // guarded by mu: that without calls, or nil
	closed bool                       // guarded by mu: none is kept
}

// watch is a context with the connections that it ends. Its members are guarded
// by the mutex of watches.
type watch struct {
	done  <-chan struct{}
	stop  func() bool
	calls map[net.Conn]struct{}
	ended bool
}

// past is a deadline that ends reads and writes at once.
var past = time.Unix(1, 0)

// watch makes reads and writes of a connection fail when a context ends, until
// unwatch.
func (s *watches) watch(ctx context.Context, c net.Conn) *watch {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.byDone[done]
	switch {
	case w == nil:
		w = &watch{done: done, calls: make(map[net.Conn]struct{})}
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

// unwatch lets go of a connection, and tells whether the context has ended the
// call.
func (s *watches) unwatch(w *watch, c net.Conn) (ended bool) {
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

// end ends the calls of a context that has ended.
func (s *watches) end(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.ended = true
	for c := range w.calls {
		_ = c.SetDeadline(past)
	}
	delete(s.byDone, w.done)
	if s.kept == w {
		s.kept = nil
	}
}

// close lets go of contexts, now or when their last call ends.
func (s *watches) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.forgetKeptLocked()
}

func (s *watches) forgetKeptLocked() {
	if s.kept != nil {
		s.kept.stop()
		delete(s.byDone, s.kept.done)
		s.kept = nil
	}
}
