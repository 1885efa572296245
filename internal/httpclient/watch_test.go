package httpclient

import (
	"context"
	"net"
	"testing"
	"time"
)

// watched is a connection that remembers its deadline.
type watched struct {
	net.Conn
	deadlines chan time.Time
}

func (c watched) SetDeadline(deadline time.Time) error {
	c.deadlines <- deadline
	return nil
}

func (c watched) interrupt() { (&connection{Conn: c}).interrupt() }

func newWatched() watched { return watched{deadlines: make(chan time.Time, 1)} }

// A context that ends takes the calls with it that it still has, and no others.
func TestWatches(t *testing.T) {
	t.Parallel()
	var s watches
	ctx, cancel := context.WithCancel(t.Context())
	finished, running, other := newWatched(), newWatched(), newWatched()
	w := s.watch(ctx, finished)
	if s.unwatch(w, finished) {
		t.Error("ended while the context lives")
	}
	if again := s.watch(ctx, running); again != w {
		t.Error("the same context is watched twice")
	}
	elsewhere := s.watch(t.Context(), other)
	cancel()
	if deadline := <-running.deadlines; deadline.After(time.Now()) {
		t.Errorf("the call may go on until %v", deadline)
	}
	if !s.unwatch(w, running) || s.unwatch(elsewhere, other) {
		t.Error("ended is not what its context has ended")
	}
	if len(finished.deadlines) > 0 || len(other.deadlines) > 0 {
		t.Error("another connection was ended")
	}
}

// A context that has ended before ends what comes; one without an end is not
// watched.
func TestWatchesEnds(t *testing.T) {
	t.Parallel()
	var s watches
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := newWatched()
	w := s.watch(ctx, late)
	<-late.deadlines
	if !s.unwatch(w, late) {
		t.Error("a call goes on under a context that has ended")
	}
	if w := s.watch(context.Background(), newWatched()); w != nil || s.unwatch(w, nil) { //nolint:usetesting // has no end
		t.Error("a context that cannot end is watched")
	}
}

// At most one context is watched without calls, and none after the end.
func TestWatchesForget(t *testing.T) {
	t.Parallel()
	var s watches
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := newWatched()
		s.unwatch(s.watch(ctx, c), c)
	}
	c := newWatched()
	w := s.watch(t.Context(), c)
	if len(s.byDone) != 2 {
		t.Errorf("%d contexts are watched", len(s.byDone))
	}
	s.close()
	if s.unwatch(w, c); len(s.byDone) != 0 {
		t.Errorf("%d contexts are watched after the end", len(s.byDone))
	}
}
