package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// heartbeat is how often the server says that there is nothing new; two
	// missing ones end a reader.
	heartbeat = time.Second
	// abandoned is when the server forgets a reader that nobody reads.
	abandoned = time.Minute
)

// reader is a consumer of the bucket that begins with the last write of every
// record and goes on with those that come. It is used by one goroutine.
type reader struct {
	store    *NATS
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
	read     uint64
	// pending is how many records there were at the beginning, until all of
	// them are read.
	pending uint64

	headersOnly bool // messages come without their values
}

// read begins to read what some filters match. close must be called.
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
	r := &reader{store: n, consumer: consumer, pending: consumer.CachedInfo().NumPending, headersOnly: headersOnly}
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

// exactTries is how many readers are made until one is at the server that is
// certain to have everything. A cluster puts each at a server of its choice.
const exactTries = 30

// readExact begins to read at a server that has every write that was answered
// before. In a cluster another one may lag behind, and would show records as they
// were, or too few. close must be called.
func (n *NATS) readExact(ctx context.Context, filters []string) (*reader, error) {
	call, cancel := n.bounded(ctx)
	defer cancel()
	for range exactTries {
		r, err := n.read(call, filters, false)
		if err != nil {
			return nil, err
		}
		if r.isExact(call) {
			return r, nil
		}
		r.close()
		if call.Err() != nil {
			return nil, call.Err()
		}
	}
	return nil, errors.New("no reader is at the server that leads the stream")
}

// next waits for a write. Any error is the end: one may have been missed.
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
	if r.read >= r.pending || metadata.NumPending == 0 {
		r.pending = 0
	}
	return r.change(message, metadata), nil
}

// caughtUp: what there was at the beginning is read.
func (r *reader) caughtUp() bool { return r.pending == 0 }

// isExact says that what is read holds every write that was answered before
// the beginning. In a cluster the consumer may be at another server than the
// stream's leader.
func (r *reader) isExact(ctx context.Context) bool {
	at := r.consumer.CachedInfo().Cluster
	if at == nil {
		return true
	}
	call, cancel := r.store.bounded(ctx)
	defer cancel()
	stream, err := r.store.jetstream.Stream(call, streamName(r.store.options.Bucket))
	if err != nil {
		return false
	}
	led := stream.CachedInfo().Cluster
	return led != nil && led.Leader == at.Leader
}

func (r *reader) close() {
	r.messages.Stop()
	r.forget()
}

// forget tells the server that nobody reads on. It would find out by itself.
func (r *reader) forget() {
	ctx, cancel := context.WithTimeout(context.Background(), heartbeat)
	defer cancel()
	_ = r.store.jetstream.DeleteConsumer(ctx, streamName(r.store.options.Bucket), r.consumer.CachedInfo().Name)
}

// change gives what a message means.
func (r *reader) change(message jetstream.Msg, metadata *jetstream.MsgMetadata) Change {
	key, revision := message.Subject()[len(r.store.subject("")):], metadata.Sequence.Stream
	if r.headersOnly || isRemoval(message.Headers()) {
		return Change{Record{Key: key, Revision: revision}, isRemoval(message.Headers())}
	}
	return Change{Record: checkedRecord(key, message.Data(), revision, message.Headers().Get(checksumHeader))}
}
