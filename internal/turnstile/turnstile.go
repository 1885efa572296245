// Package turnstile bounds the calls that are under way to each backend, and
// with them the sockets that they take. Calls beyond the bound wait for their
// turn, in the order in which they came; beyond a second bound they are refused.
//
// HTTP backends (package httpclient) and AWS services (package awsservice)
// are called through one.
package turnstile

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFull is the error for a call that may not even wait.
var ErrFull = errors.New("too many calls wait for the backend")

// Bounds of each backend. Zero stands for the default, and less than zero for no
// line.
type Bounds struct {
	Calls   int // under way at a time: 1024
	Waiting int // for their turn: 16384
}

// Turnstile lets calls through to backends. It is safe for concurrent use.
type Turnstile struct {
	bounds Bounds

	mu    sync.Mutex
	lanes map[string]*Lane // guarded by mu: those that are used, and some that were
}

// Lane is the way to one backend.
type Lane struct {
	of *Turnstile

	// Guarded by of.mu:
	busy    int
	waiting []*waiter // the first has waited longest
}

// waiter is a call that waits. Its turn is closed when it may go.
type waiter struct{ turn chan struct{} }

// New makes a turnstile.
func New(b Bounds) *Turnstile {
	return &Turnstile{
		bounds: Bounds{Calls: cmp.Or(b.Calls, 1024), Waiting: cmp.Or(b.Waiting, 16384)},
		lanes:  make(map[string]*Lane),
	}
}

// Call says what waits.
type Call struct {
	Backend string // names the backend
	// Deadline ends the wait; zero is none.
	Deadline time.Time
	// Patient calls wait however many do: there is nobody to be told of a
	// refusal.
	Patient bool
}

// Enter waits for the turn of a call. The caller leaves the lane when the call
// has ended. The error is ErrFull, that of the context, or
// context.DeadlineExceeded when the deadline comes first.
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

// addLocked makes the lane of a backend, and forgets idle ones where there are
// many.
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

// Leave ends a call: whoever has waited longest is next.
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

// abandon takes a call out of the line, or gives back its turn where that came
// meanwhile.
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
