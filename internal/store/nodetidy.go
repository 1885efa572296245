package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// observation is a revision of a record, and since when it is the latest.
type observation struct {
	revision uint64
	since    time.Time // with a monotonic reading
}

// tidy removes the records of gateways that are gone for good, until ctx ends.
func (l *NodeLease) tidy(ctx context.Context) {
	ticker := time.NewTicker(l.claim.kept / nodeLooks)
	defer ticker.Stop()
	seen := make(map[string]observation)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := l.look(ctx, seen); err != nil && ctx.Err() == nil {
			l.store.log.Debug("The numbers of nodes were not looked through", "error", err)
		}
	}
}

// look reads all records, and removes those that did not change for as long as
// they are kept: as measured here, since the machines' clocks may be set. seen is
// what the looks before found, and is updated.
func (l *NodeLease) look(ctx context.Context, seen map[string]observation) error {
	keys, _, err := l.store.subjectsOf(ctx, l.bucket.Bucket(), ">")
	if err != nil {
		return err
	}
	maps.DeleteFunc(seen, func(key string, _ observation) bool {
		_, present := slices.BinarySearch(keys, key)
		return !present
	})
	for _, key := range keys {
		call, cancel := l.store.bounded(ctx)
		entry, err := l.bucket.Get(call, key)
		cancel()
		switch before, known := seen[key]; {
		case err != nil: // removed, or not to be had now
			delete(seen, key)
		case !known || before.revision != entry.Revision():
			seen[key] = observation{entry.Revision(), time.Now()}
		case time.Since(before.since) >= l.claim.kept:
			_ = l.remove(ctx, key, entry.Revision()) // the next look tries again
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// remove puts the mark of a removal in the place of a record, if the record still
// has this revision. The mark goes by itself.
func (l *NodeLease) remove(ctx context.Context, key string, revision uint64) error {
	mark := nats.NewMsg(subjectOf(l.bucket.Bucket(), key))
	mark.Header.Set(operationHeader, operationDelete)
	call, cancel := l.store.bounded(ctx)
	defer cancel()
	_, err := l.store.publish(call, mark, revision, jetstream.WithMsgTTL(removalKept))
	return err
}
