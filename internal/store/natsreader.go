package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// heartbeat is how often the server sends a message when there is nothing
	// new. A reader ends when two are missing.
	heartbeat = time.Second
	// abandoned is the time after which the server forgets a reader that does
	// not ask for more.
	abandoned = time.Minute
)

// reader is a consumer of the bucket that begins with the last write of every
// record and goes on with those that come. It is used by one goroutine.
type reader struct {
	store    *NATS
	filters  []string
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
	read     uint64
	// due are the keys of the beginning that were not read yet. The server's
	// own count of pending messages is not exact while others write: a record
	// that is written again moves behind all others.
	due map[string]struct{}

	headersOnly bool // messages come without their values
}

// read makes a reader for the subjects that filters match. begin must be called
// next, and close in the end.
func (n *NATS) read(ctx context.Context, filters []string, headersOnly bool) (*reader, error) {
	call, cancel := n.bounded(ctx)
	defer cancel()
	consumer, err := n.jetstream.CreateConsumer(call, streamName(n.options.Bucket), jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubjects:    filters,
		HeadersOnly:       headersOnly,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: abandoned,
	})
	if err != nil {
		return nil, err
	}
	r := &reader{store: n, filters: filters, consumer: consumer, headersOnly: headersOnly}
	r.messages, err = consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(256, 3*maxPayload),
		jetstream.PullHeartbeat(heartbeat), jetstream.PullExpiry(10*heartbeat),
	)
	if err != nil {
		r.forget()
		return nil, err
	}
	return r, nil
}

// exactTries is how many readers are made at most to get one at the server that
// leads the stream. A cluster chooses a server for each.
const exactTries = 30

// readExact makes a reader at a server that has every write that was answered
// before. Other servers of a cluster may be behind: they have older states of
// records, or too few. close must be called.
func (n *NATS) readExact(ctx context.Context, filters []string) (*reader, error) {
	call, cancel := n.bounded(ctx)
	defer cancel()
	for range exactTries {
		r, err := n.read(call, filters, false)
		if err != nil {
			return nil, err
		}
		exact, err := r.begin(call)
		if exact {
			return r, nil
		}
		r.close()
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no reader is at the server that leads the stream")
}

// next waits for the next write. After an error the reader cannot be used any
// more: a write may have been missed.
func (r *reader) next(ctx context.Context) (Change, error) {
	message, err := r.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return Change{}, err
	}
	metadata, err := message.Metadata()
	if err != nil {
		return Change{}, err
	}
	if r.read++; metadata.Sequence.Consumer != r.read {
		return Change{}, fmt.Errorf("message %d came, where %d was due", metadata.Sequence.Consumer, r.read)
	}
	change := r.change(message, metadata)
	delete(r.due, change.Key)
	return change, nil
}

// caughtUp reports whether all records of the beginning have been read.
func (r *reader) caughtUp() bool { return len(r.due) == 0 }

// begin notes the keys that there are to read. exact reports whether the reader
// has every write that was answered before: in a cluster it may be at another
// server than the stream's leader.
func (r *reader) begin(ctx context.Context) (exact bool, err error) {
	keys, leader, err := r.store.subjects(ctx, r.filters...)
	if err != nil {
		return false, err
	}
	r.due = make(map[string]struct{}, len(keys))
	for _, key := range keys {
		r.due[key] = struct{}{}
	}
	at := r.consumer.CachedInfo().Cluster
	return at == nil || at.Leader == leader, nil
}

func (r *reader) close() {
	r.messages.Stop()
	r.forget()
}

// forget removes the reader from the server, which would forget it later by
// itself.
func (r *reader) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
	defer cancel()
	_ = r.store.jetstream.DeleteConsumer(ctx, streamName(r.store.options.Bucket), r.consumer.CachedInfo().Name)
}

// change returns the change that a message stands for.
func (r *reader) change(message jetstream.Msg, metadata *jetstream.MsgMetadata) Change {
	key, revision := message.Subject()[len(r.store.subject("")):], metadata.Sequence.Stream
	if r.headersOnly || isRemoval(message.Headers()) {
		return Change{Record{Key: key, Revision: revision}, isRemoval(message.Headers())}
	}
	return Change{Record: checkedRecord(key, message.Data(), revision, message.Headers().Get(checksumHeader))}
}
