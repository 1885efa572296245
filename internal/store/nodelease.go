package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// NodeLease is a node's number, or a lock, that this gateway holds until
// Release.
type NodeLease struct {
	Number int

	name   string // of a lock: its key
	store  *NATS
	claim  NodeClaim
	bucket jetstream.KeyValue
	cancel context.CancelFunc

	running sync.WaitGroup // keep and tidy

	own Node // the record that is written

	// The following belong to keep, once it runs.
	revision uint64 // that was written last
	lost     bool   // another gateway has it, and claim.Lost was called
}

// keep renews the number until ctx ends. It goes on while servers are gone; the
// store logs that.
func (l *NodeLease) keep(ctx context.Context) {
	ticker := time.NewTicker(l.claim.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		l.renew(ctx)
	}
}

// renew renews the number. A number that another gateway has taken is taken
// back when it is free again.
func (l *NodeLease) renew(ctx context.Context) {
	if !l.lost && !errors.Is(l.write(ctx, l.revision), ErrConflict) {
		return // done, or to be tried again
	}
	revision, holder, err := l.read(ctx)
	switch {
	case err != nil:
	case holder == nil:
		l.regain(ctx, 0)
	case holder.Instance == l.own.Instance: // a write whose answer was lost
		l.regain(ctx, revision)
	case !l.lost:
		l.lost = true
		if l.claim.Lost != nil {
			l.claim.Lost(*holder)
		}
	}
}

func (l *NodeLease) regain(ctx context.Context, revision uint64) {
	if l.write(ctx, revision) == nil {
		l.lost = false
	}
}

// releaseTime is the longest that Release may take. Where it fails the record is
// as that of a gateway that was killed.
const releaseTime = 2 * time.Second

// Release frees the number or the lock, so that others can have it at once. It
// must be called before the store is closed.
func (l *NodeLease) Release() {
	l.cancel()
	l.running.Wait()
	if l.lost || !l.store.connection.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	if l.remove(ctx, l.key(), l.revision) == nil {
		return
	}
	// A renewal that was under way may have been written without its answer.
	if revision, holder, err := l.read(ctx); err == nil && holder != nil && holder.Instance == l.own.Instance {
		_ = l.remove(ctx, l.key(), revision)
	}
}
