package store

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// turnTime is the longest that a watch waits for a change before it notes
	// that it is alive.
	turnTime = 5 * time.Second
	// overdue is how late that note has to be for a watch to count as hanging.
	overdue = 15 * time.Second
)

// Alive returns an error if a watch hangs: if the function that it called for a
// change has not returned for longer than it may take. A watch that waits for
// servers that are gone does not hang. The error names what is watched.
func (n *NATS) Alive() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watching {
		if late := time.Since(w.dueAt()); late > overdue {
			return fmt.Errorf("the watch of %s hangs for %s", w, late.Round(time.Second))
		}
	}
	return nil
}

// turn is the time by which a watch has to note again that it is alive. It has a
// monotonic reading: the machine's clock may be set.
type turn struct{ due atomic.Pointer[time.Time] }

// takes notes that the watch is alive, and that its next step may take this
// long.
func (t *turn) takes(d time.Duration) {
	due := time.Now().Add(d)
	t.due.Store(&due)
}

// dueAt returns that time; for a watch that has noted nothing yet, now.
func (t *turn) dueAt() time.Time {
	if due := t.due.Load(); due != nil {
		return *due
	}
	return time.Now()
}

// String names what is watched.
func (w *natsWatch) String() string {
	if names := strings.Join(w.prefixes, ", "); names != "" {
		return names
	}
	return "everything"
}
