package store

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// NodeLease is a node's number while it is this gateway's, or a lock.
type NodeLease struct {
	Number int

	name   string // of a lock: its key
	store  *NATS
	claim  NodeClaim
	bucket jetstream.KeyValue
	cancel context.CancelFunc
	ended  chan struct{} // closed when nothing is renewed any more

	own Node // the record

	// Of keep, once it runs.
	revision uint64 // that was written last
	lost     bool   // and told
}

// keep renews the number until ctx ends. Servers that are gone are waited for: the
// store tells of them.
func (l *NodeLease) keep(ctx context.Context) {
	defer close(l.ended)
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

// renew renews the number. One that is another gateway's meanwhile is taken back
// when it is free again.
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

// releaseTime is how long the end may take: the record expires by itself, too.
const releaseTime = 2 * time.Second

// Release lets others have the number at once. The store must be open still.
func (l *NodeLease) Release() {
	l.cancel()
	<-l.ended
	if l.lost || !l.store.connection.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	_ = l.bucket.Delete(ctx, l.key(), jetstream.LastRevision(l.revision)) // it expires otherwise
}
