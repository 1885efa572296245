package acme

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/store"
)

// locks are held by one node at a time. A lock is a record that its holder
// writes again and again. A node that has seen the same revision for the time
// of a lease assumes that the holder has died, and takes the lock over. Clocks
// of different nodes are not compared.
//
// A holder that was cut off for longer than a lease does not know that it lost
// its lock. So locks only keep nodes from doing work twice.
type locks struct {
	store Store
	lease time.Duration
	poll  time.Duration // between two looks at a lock that another node holds

	mu    sync.Mutex // guards held and seen
	held  map[string]*heldLock
	seen  map[string]observation
	owner string // written into records, for people to read
}

// heldLock is a lock that this node holds.
type heldLock struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it is not renewed any more
}

// observation is when this node first saw a revision of another node's lock.
type observation struct {
	revision uint64
	since    time.Time
}

const (
	lockLease = 30 * time.Second
	lockPoll  = time.Second
)

func newLocks(s Store, owner string) *locks {
	return &locks{
		store: s, lease: lockLease, poll: lockPoll, owner: owner,
		held: make(map[string]*heldLock), seen: make(map[string]observation),
	}
}

func lockKey(name string) string { return locksPrefix + "." + store.Key(name) }

func (l *locks) lock(ctx context.Context, name string) error {
	tick := time.NewTicker(l.poll)
	defer tick.Stop()
	for {
		if taken, err := l.try(ctx, name); taken || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", name, ctx.Err())
		case <-tick.C:
		}
	}
}

// try takes a lock if no node holds it or its holder has died, and reports
// whether it could.
func (l *locks) try(ctx context.Context, name string) (bool, error) {
	record, err := l.store.Get(ctx, lockKey(name))
	switch {
	case errors.Is(err, store.ErrNotFound):
		record.Revision = 0
	case err != nil:
		return false, err
	case !l.abandoned(name, record.Revision):
		return false, nil
	}
	revision, err := l.store.Put(ctx, lockKey(name), []byte(l.owner), record.Revision)
	if errors.Is(err, store.ErrConflict) {
		return false, nil // another node has taken it meanwhile
	}
	if err != nil {
		return false, err
	}
	l.hold(context.WithoutCancel(ctx), name, revision)
	return true, nil
}

// abandoned reports whether a lock was not renewed for the time of a lease.
func (l *locks) abandoned(name string, revision uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seen, ok := l.seen[name]; ok && seen.revision == revision {
		return time.Since(seen.since) > l.lease
	}
	l.seen[name] = observation{revision, time.Now()}
	return false
}

// hold renews a lock until it is released.
func (l *locks) hold(ctx context.Context, name string, revision uint64) {
	ctx, cancel := context.WithCancel(ctx)
	h := &heldLock{cancel, make(chan struct{})}
	l.mu.Lock()
	l.held[name] = h
	delete(l.seen, name)
	l.mu.Unlock()
	go func() {
		defer close(h.done)
		tick := time.NewTicker(l.lease / 4)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			switch next, err := l.store.Put(ctx, lockKey(name), []byte(l.owner), revision); {
			case err == nil:
				revision = next
			case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
				return // it was lost
			}
		}
	}()
}

// unlock releases a lock, unless it was lost.
func (l *locks) unlock(ctx context.Context, name string) error {
	l.mu.Lock()
	h := l.held[name]
	delete(l.held, name)
	l.mu.Unlock()
	if h == nil {
		return fmt.Errorf("lock %s is not held", name)
	}
	h.cancel()
	<-h.done
	record, err := l.store.Get(ctx, lockKey(name))
	if err == nil && string(record.Value) == l.owner {
		_, err = l.store.Delete(ctx, lockKey(name), record.Revision)
	}
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// close releases the locks that are held, so that other nodes need not wait for
// a lease.
func (l *locks) close(ctx context.Context) error {
	l.mu.Lock()
	var names []string
	for name := range l.held {
		names = append(names, name)
	}
	l.mu.Unlock()
	var failed error
	for _, name := range names {
		failed = errors.Join(failed, l.unlock(ctx, name))
	}
	return failed
}
