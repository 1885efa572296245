package store

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// turnTime is how long a watch waits for news before it shows that it is alive.
	turnTime = 5 * time.Second
	// overdue is how much longer than it may take by itself something of a watch
	// takes when it counts as hanging.
	overdue = 15 * time.Second
)

// Alive returns an error unless every watch has its turns. One that waits for
// servers that are gone has; one whose caller does not come back from a change
// has not. The error names what is watched.
func (n *NATS) Alive() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watching {
		if late := time.Since(time.Unix(0, w.due.Load())); late > overdue {
			return fmt.Errorf("the watch of %s hangs for %s", w, late.Round(time.Second))
		}
	}
	return nil
}

// turn is when a watch shows that it is alive next, in nanoseconds of Unix time.
type turn struct{ due atomic.Int64 }

// takes says that what the watch does now may take so long.
func (t *turn) takes(d time.Duration) { t.due.Store(time.Now().Add(d).UnixNano()) }

// String names what is watched.
func (w *natsWatch) String() string {
	if names := strings.Join(w.prefixes, ", "); names != "" {
		return names
	}
	return "everything"
}
