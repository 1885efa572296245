package turnstile

import (
	"context"
	"time"
)

// Turner is told when it is the turn of a call that waited.
type Turner interface {
	// Turn is called once, by the goroutine of the call whose end made it so. It
	// returns soon. The lane is to be left when the call has ended.
	Turn(*Lane)
}

// Waiter is a call that waits for its turn. It is a part of whatever makes the
// call, serves one call after the other, and is used by Start and Abandon only.
type Waiter struct {
	to    Turner
	lane  *Lane
	since time.Time // zero where nobody asks for it

	// Guarded by lane.of.mu:
	waits         bool
	before, after *Waiter // in the lane
}

// Abandon ends the wait, and reports whether there was one: then Turn is not called.
// Otherwise it was called, or is about to be.
func (w *Waiter) Abandon() bool {
	l := w.lane
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if !w.waits {
		return false
	}
	l.removeLocked(w)
	return true
}

// queueLocked puts a call behind those that wait.
func (l *Lane) queueLocked(w *Waiter, to Turner) {
	*w = Waiter{to: to, lane: l, waits: true, before: l.last}
	if l.of.bounds.Waited != nil {
		w.since = time.Now()
	}
	if l.last == nil {
		l.first = w
	} else {
		l.last.after = w
	}
	l.last = w
	l.waiting++
}

// removeLocked takes a call out of those that wait.
func (l *Lane) removeLocked(w *Waiter) {
	if w.before == nil {
		l.first = w.after
	} else {
		w.before.after = w.after
	}
	if w.after == nil {
		l.last = w.before
	} else {
		w.after.before = w.before
	}
	w.waits, w.before, w.after = false, nil, nil
	l.waiting--
}

// blocked is a goroutine that waits for its turn: until turn is closed.
type blocked struct{ turn chan struct{} }

// Turn implements Turner.
func (b blocked) Turn(*Lane) { close(b.turn) }

// wait returns nil when it is the goroutine's turn.
func (b blocked) wait(ctx context.Context, deadline time.Time) error {
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-b.turn:
		return nil
	case <-late:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return ctx.Err()
	}
}
