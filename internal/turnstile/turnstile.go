// Package turnstile bounds how many calls of each backend are under way, and with
// them the sockets that they take. Calls beyond the bound wait for their turn, in
// the order in which they came. How many may wait is bounded too: those beyond
// are refused.
//
// HTTP backends (package httpclient), AWS services (package awsservice) and the
// issuers of tokens (package authorizer) are called through one.
package turnstile

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull is the error for a call that is refused: as many as may wait do.
var ErrFull = errors.New("too many calls wait for the backend")

// Bounds are those of each backend. A zero stands for the default.
type Bounds struct {
	Calls   int // how many may be under way at a time; 1024 by default
	Waiting int // how many may wait for their turn; 16384 by default, less than zero: none
}

// Turnstile lets calls through to backends. It is safe for concurrent use.
type Turnstile struct {
	bounds Bounds

	mu    sync.Mutex
	lanes map[string]*Lane // guarded by mu: those that are used, and some that were
}

// Lane is the queue before one backend. A caller of Enter gets it to leave it.
type Lane struct {
	of *Turnstile

	// Guarded by of.mu:
	busy    int       // calls that are under way
	waiting []*waiter // the first has waited longest
}

// waiter is a call that waits for its turn: until turn is closed.
type waiter struct{ turn chan struct{} }

// New makes a turnstile that no call has passed.
func New(b Bounds) *Turnstile {
	return &Turnstile{
		bounds: Bounds{Calls: cmp.Or(b.Calls, 1024), Waiting: cmp.Or(b.Waiting, 16384)},
		lanes:  make(map[string]*Lane),
	}
}

// Call is what Enter is to let through.
type Call struct {
	// Backend is any text that stands for the backend: its host:port, its name.
	Backend string
	// Deadline ends the wait. Zero: only the context does.
	Deadline time.Time
	// Patient calls are never refused with ErrFull. They are those of
	// $disconnect: no client would hear of the refusal.
	Patient bool
}

// Enter waits for the turn of a call, and returns the lane, which the caller
// leaves when the call has ended. The error is ErrFull, the context's, or
// context.DeadlineExceeded where the deadline comes first.
func (t *Turnstile) Enter(ctx context.Context, c Call) (*Lane, error) {
	t.mu.Lock()
	l := t.lanes[c.Backend]
	if l == nil {
		l = t.addLocked(c.Backend)
	}
	if l.busy < t.bounds.Calls {
		l.busy++
		t.mu.Unlock()
		return l, nil
	}
	if len(l.waiting) >= t.bounds.Waiting && !c.Patient {
		t.mu.Unlock()
		return nil, ErrFull
	}
	w := &waiter{make(chan struct{})}
	l.waiting = append(l.waiting, w)
	t.mu.Unlock()
	if err := w.wait(ctx, c.Deadline); err != nil {
		l.abandon(w)
		return nil, err
	}
	return l, nil
}

// addLocked makes the lane of a backend. Where there are many, it removes those of
// backends that no call is under way to.
func (t *Turnstile) addLocked(backend string) *Lane {
	const many = 1024
	if len(t.lanes) >= many {
		for name, l := range t.lanes {
			if l.busy == 0 {
				delete(t.lanes, name)
			}
		}
	}
	l := &Lane{of: t}
	t.lanes[backend] = l
	return l
}

// wait returns nil when it is the waiter's turn.
func (w *waiter) wait(ctx context.Context, deadline time.Time) error {
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-w.turn:
		return nil
	case <-late:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Leave says that a call has ended. It is the turn of the call that has waited
// longest.
func (l *Lane) Leave() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.leaveLocked()
}

func (l *Lane) leaveLocked() {
	if len(l.waiting) == 0 {
		l.busy--
		l.waiting = nil
		return
	}
	next := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	close(next.turn)
}

// abandon removes a call that no longer waits from the queue. Where its turn came
// in the meantime, the turn goes to the next.
func (l *Lane) abandon(w *waiter) {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	for i, other := range l.waiting {
		if other == w {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
	l.leaveLocked()
}
