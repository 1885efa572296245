// Package turnstile bounds how many calls of each backend are under way, and with
// them the sockets that they take. Calls beyond the bound wait for their turn, in
// the order in which they came. How many may wait is bounded too: those beyond
// are refused.
//
// HTTP backends (package httpclient), AWS services (package awsservice) and the
// issuers of tokens (package authorizer) are called through one. A call waits with
// its goroutine (Enter), or has itself called back (Start).
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
	// Waited is told how long each call has waited whose turn has come; nil is told
	// nothing.
	Waited func(time.Duration)
}

// WithDefaults returns the bounds with the defaults in the place of zeros.
func (b Bounds) WithDefaults() Bounds {
	return Bounds{Calls: cmp.Or(b.Calls, 1024), Waiting: cmp.Or(b.Waiting, 16384), Waited: b.Waited}
}

// Turnstile lets calls through to backends. It is safe for concurrent use.
type Turnstile struct {
	bounds Bounds

	mu    sync.Mutex
	lanes map[string]*Lane // guarded by mu: those that are used, and some that were
}

// Lane is the queue before one backend. Whoever has passed it leaves it.
type Lane struct {
	of *Turnstile

	// Guarded by of.mu:
	busy        int // calls that are under way
	waiting     int
	first, last *Waiter // of those that wait; the first has waited longest
}

// New makes a turnstile that no call has passed.
func New(b Bounds) *Turnstile {
	return &Turnstile{bounds: b.WithDefaults(), lanes: make(map[string]*Lane)}
}

// Call is what is to be let through.
type Call struct {
	// Backend is any text that stands for the backend: its host:port, its name.
	Backend string
	// Deadline ends the wait of Enter. Zero: only the context does.
	Deadline time.Time
	// Patient calls are never refused with ErrFull. They are those of
	// $disconnect, since no client would hear of the refusal, and those that take
	// logs to AWS, which are bounded by their queues.
	Patient bool
}

// Enter waits for the turn of a call, and returns the lane, which the caller
// leaves when the call has ended. The error is ErrFull, the context's, or
// context.DeadlineExceeded where the deadline comes first.
func (t *Turnstile) Enter(ctx context.Context, c Call) (*Lane, error) {
	t.mu.Lock()
	l, passes, err := t.enterLocked(c)
	if passes || err != nil {
		t.mu.Unlock()
		return l, err
	}
	b := blocked{make(chan struct{})}
	w := &Waiter{}
	l.queueLocked(w, b)
	t.mu.Unlock()
	if err := b.wait(ctx, c.Deadline); err != nil {
		if !w.Abandon() { // its turn has come meanwhile: it is the next one's
			l.Leave()
		}
		return nil, err
	}
	return l, nil
}

// Start is Enter for a caller that must not block. Where it is the call's turn at
// once, it returns the lane; otherwise the call waits with w until Turn is called
// or Abandon succeeds, however late the call's Deadline is. The error is ErrFull.
func (t *Turnstile) Start(c Call, w *Waiter, to Turner) (l *Lane, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, passes, err := t.enterLocked(c)
	if passes || err != nil {
		return l, err
	}
	l.queueLocked(w, to)
	return nil, nil
}

// enterLocked finds the lane of a call, and lets the call pass where it is free. Where
// it does not, and there is no error, the call has to wait.
func (t *Turnstile) enterLocked(c Call) (l *Lane, passes bool, err error) {
	if l = t.lanes[c.Backend]; l == nil {
		l = t.addLocked(c.Backend)
	}
	if l.busy < t.bounds.Calls {
		l.busy++
		return l, true, nil
	}
	if l.waiting >= t.bounds.Waiting && !c.Patient {
		return nil, false, ErrFull
	}
	return l, false, nil
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

// Leave says that a call has ended. It is the turn of the call that has waited
// longest.
func (l *Lane) Leave() {
	l.of.mu.Lock()
	next := l.first
	if next == nil {
		l.busy--
	} else {
		l.removeLocked(next)
	}
	l.of.mu.Unlock()
	if next != nil {
		if waited := l.of.bounds.Waited; waited != nil {
			waited(time.Since(next.since))
		}
		next.to.Turn(l)
	}
}
