package store

import (
	"context"
	"errors"
	"time"
)

// firstRetry and lastRetry bound the pause before the next session of a watch.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
)

// Watch implements Store. It is a sequence of sessions, each of them a reader
// that begins with all records. So a session finds what the one before missed,
// whatever happened to the servers meanwhile.
func (n *NATS) Watch(ctx context.Context, prefixes []string, changed func(Change), ready func()) error {
	for _, prefix := range prefixes {
		if err := checkPrefix(prefix); err != nil {
			return err
		}
	}
	w := &natsWatch{store: n, prefixes: prefixes, changed: changed, ready: ready, known: make(map[string]uint64)}
	if !n.beginWatch(w) {
		return ErrClosed
	}
	defer n.endWatch(w)
	for _, prefix := range prefixes {
		w.filters = append(w.filters, n.filter(prefix))
	}
	n.lost.tell(prefixes, changed)
	retry := firstRetry
	for {
		reconnected := n.reconnected.wait()
		began := time.Now()
		err := w.session(ctx, reconnected)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case n.closing.Err() != nil:
			return ErrClosed
		}
		if time.Since(began) > 2*lastRetry {
			retry = firstRetry // the session before worked
		}
		n.log.Debug("Watching the configuration begins anew", "reason", err)
		w.takes(retry)
		select {
		case <-ctx.Done():
		case <-n.closing.Done():
		case <-reconnected:
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// beginWatch makes Close wait for a watch. It reports whether it could: false
// means that Close was called.
func (n *NATS) beginWatch(w *natsWatch) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing.Err() != nil {
		return false
	}
	n.watches.Add(1)
	w.takes(0)
	n.watching[w] = struct{}{}
	return true
}

func (n *NATS) endWatch(w *natsWatch) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.watching, w)
	n.watches.Done()
}

// natsWatch is the state of one call of Watch.
type natsWatch struct {
	turn
	store    *NATS
	prefixes []string
	filters  []string
	changed  func(Change)
	ready    func() // nil once it was called
	// known are the records that changed was called for, with their revisions.
	known map[string]uint64
	// seen is the highest revision that was read. While a session goes through
	// all records, before is the value of seen at its beginning, else 0: a
	// removal that is not newer than that, of a record that is not known, was
	// reported already or need not be.
	seen, before uint64
}

// errReconnected is the end of a session after the connection was lost: the
// consumer may be gone with its server.
var errReconnected = errors.New("the connection was lost")

// session reports the difference between all records and the known ones, and
// then every change. It returns the error that ended it.
func (w *natsWatch) session(ctx context.Context, reconnected <-chan struct{}) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(w.store.closing, func() { cancel(ErrClosed) })()
	go func() {
		select {
		case <-reconnected:
			cancel(errReconnected)
		case <-ctx.Done():
		}
	}()
	w.takes(2 * w.store.options.Timeout)
	r, err := w.store.readExact(ctx, w.filters)
	if err != nil {
		return err
	}
	defer func() {
		w.takes(heartbeat)
		r.close()
	}()
	w.takes(0)
	vanished := make(map[string]struct{}, len(w.known))
	for key := range w.known {
		vanished[key] = struct{}{}
	}
	w.before = w.seen
	if r.caughtUp() {
		w.caughtUp(vanished)
	}
	for {
		began := r.caughtUp()
		change, err := w.next(ctx, r)
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		delete(vanished, change.Key)
		w.tell(change)
		if !began && r.caughtUp() {
			w.caughtUp(vanished)
		}
	}
}

// next waits for the next write, and notes meanwhile that the watch is alive.
// Until all records are read that there were at the beginning, it does not wait
// longer than turnTime: the missing ones may never come.
func (w *natsWatch) next(ctx context.Context, r *reader) (Change, error) {
	for {
		w.takes(turnTime)
		turn, stop := context.WithTimeout(ctx, turnTime)
		change, err := r.next(turn)
		stop()
		w.takes(0)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || !r.caughtUp() {
			return change, err
		}
	}
}

// tell calls changed for a change that was not reported yet.
func (w *natsWatch) tell(change Change) {
	w.seen = max(w.seen, change.Revision)
	revision, known := w.known[change.Key]
	switch {
	case known && revision == change.Revision:
		return
	case change.Deleted && !known && change.Revision <= w.before:
		return
	case change.Deleted:
		delete(w.known, change.Key)
	default:
		w.known[change.Key] = change.Revision
	}
	w.changed(change)
}

// caughtUp ends the part of a session that goes through all records. vanished
// are the known records that were not among them: they were removed so long ago
// that no mark is left.
func (w *natsWatch) caughtUp(vanished map[string]struct{}) {
	w.before = 0
	for key := range vanished {
		w.tell(Change{Record: Record{Key: key, Revision: w.seen}, Deleted: true})
	}
	if w.ready != nil {
		w.ready()
		w.ready = nil
	}
}
