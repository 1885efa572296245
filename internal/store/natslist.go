package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errCutOff means that a reader ended before it had read everything.
var errCutOff = errors.New("the list was cut off")

// List implements Store.
func (n *NATS) List(ctx context.Context, prefix string) ([]Record, error) {
	return n.list(ctx, prefix, false)
}

// Keys implements Store.
func (n *NATS) Keys(ctx context.Context, prefix string) ([]Record, error) {
	records, err := n.list(ctx, prefix, true)
	for i := range records {
		records[i].Value = nil
	}
	return records, err
}

// list reads the records in one go from a server that certainly has all of
// them. Where there is no such server, it asks the stream's leader for each
// record.
func (n *NATS) list(ctx context.Context, prefix string, headersOnly bool) ([]Record, error) {
	if err := cmp.Or(checkPrefix(prefix), ctx.Err()); err != nil {
		return nil, err
	}
	records, exact, err := n.readUncut(ctx, prefix, headersOnly)
	if err == nil && !exact {
		records, err = n.getAll(ctx, prefix)
	}
	if err != nil {
		return nil, n.explain(ctx, err)
	}
	return n.lost.addTo(records, prefix), nil
}

// readUncut calls readAll until a reader comes to the end. A reader can be cut
// off without anything being wrong with the records: its consumer went with a
// server, or a request or message was lost or late, as on a busy machine. All
// tries together have the time of one call.
func (n *NATS) readUncut(ctx context.Context, prefix string, headersOnly bool) (records []Record, exact bool, err error) {
	call, cancel := n.bounded(ctx)
	defer cancel()
	for {
		records, exact, err = n.readAll(call, prefix, headersOnly)
		if !errors.Is(err, errCutOff) || call.Err() != nil {
			return records, exact, err
		}
		n.log.Debug("Listing the configuration begins anew", "reason", err)
		select {
		case <-call.Done():
		case <-n.closing.Done():
			return nil, false, ErrClosed
		case <-time.After(firstRetry):
		}
	}
}

// readAll returns the records below a prefix as one server has them, and
// whether it certainly has all of them. The error is errCutOff where reading
// had begun.
func (n *NATS) readAll(ctx context.Context, prefix string, headersOnly bool) (records []Record, exact bool, err error) {
	r, err := n.read(ctx, []string{n.filter(prefix)}, headersOnly)
	if err != nil {
		return nil, false, err
	}
	defer r.close()
	if exact, err := r.begin(ctx); !exact {
		return nil, false, err
	}
	found := make(map[string]Record, len(r.due))
	for !r.caughtUp() {
		turn, stop := context.WithTimeout(ctx, 2*heartbeat)
		change, err := r.next(turn)
		stop()
		if err != nil {
			return nil, false, fmt.Errorf("%w after %d of its records: %w", errCutOff, r.read, err)
		}
		if delete(found, change.Key); !change.Deleted {
			found[change.Key] = change.Record
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Record) int { return cmp.Compare(a.Key, b.Key) }), true, nil
}

// requestsAtOnce is how many requests of one list are under way at a time.
const requestsAtOnce = 16

// getAll asks the stream's leader for the records below a prefix.
func (n *NATS) getAll(ctx context.Context, prefix string) ([]Record, error) {
	keys, _, err := n.subjects(ctx, n.filter(prefix))
	if err != nil {
		return nil, err
	}
	records := make([]Record, len(keys))
	errs := make([]error, len(keys))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(requestsAtOnce, len(keys)) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(keys)); i = next.Add(1) - 1 {
				records[i], errs[i] = n.Get(ctx, keys[i])
			}
		})
	}
	wait.Wait()
	listed := records[:0]
	for i, record := range records {
		switch {
		case errs[i] == nil:
			listed = append(listed, record)
		case !errors.Is(errs[i], ErrNotFound):
			return nil, errs[i]
		}
	}
	return listed, nil
}

// subjects is subjectsOf for the store's own bucket.
func (n *NATS) subjects(ctx context.Context, filters ...string) (keys []string, leader string, err error) {
	return n.subjectsOf(ctx, n.options.Bucket, filters...)
}

// subjectsOf returns the keys of a bucket that filters match and that have a record
// or the mark of a removal, in their order. They come from the server that leads
// the stream; leader is its name, "" outside of clusters.
func (n *NATS) subjectsOf(ctx context.Context, bucket string, filters ...string) (keys []string, leader string, err error) {
	call, cancel := n.bounded(ctx)
	defer cancel()
	stream, err := n.jetstream.Stream(call, streamName(bucket))
	if err != nil {
		return nil, "", err
	}
	for _, filter := range filters {
		info, err := stream.Info(call, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return nil, "", err
		}
		for subject := range info.State.Subjects {
			keys = append(keys, strings.TrimPrefix(subject, subjectOf(bucket, "")))
		}
		if info.Cluster != nil {
			leader = info.Cluster.Leader
		}
	}
	slices.Sort(keys)
	return keys, leader, nil
}
