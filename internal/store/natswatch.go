package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Times of a watch.
const (
	// heartbeat is how often the server says that there is nothing new; two
	// missing ones end a session.
	heartbeat = time.Second
	// firstRetry and lastRetry bound the pause before the next session.
	firstRetry = 20 * time.Millisecond
	lastRetry  = time.Second
	// abandoned is when the server forgets a session that nobody reads.
	abandoned = time.Minute
)

// Watch implements Store. It is a row of sessions, each of them a consumer
// that begins with all records: what the one before did not see is told then,
// whatever happened to the servers meanwhile.
func (n *NATS) Watch(ctx context.Context, prefixes []string, changed func(Change), ready func()) error {
	for _, prefix := range prefixes {
		if err := checkPrefix(prefix); err != nil {
			return err
		}
	}
	if n.closing.Err() != nil {
		return ErrClosed
	}
	n.watches.Add(1)
	defer n.watches.Done()
	w := &natsWatch{store: n, changed: changed, ready: ready, known: make(map[string]uint64)}
	for _, prefix := range prefixes {
		w.filters = append(w.filters, n.filter(prefix))
	}
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
			retry = firstRetry // it had been well
		}
		n.log.Debug("Watching the configuration begins anew", "reason", err)
		select {
		case <-ctx.Done():
		case <-n.closing.Done():
		case <-reconnected:
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// natsWatch is what a Watch knows.
type natsWatch struct {
	store   *NATS
	filters []string
	changed func(Change)
	ready   func() // nil once it was called
	// known are the revisions of the records that were told; last is the
	// highest revision that was seen.
	known map[string]uint64
	last  uint64
}

// errReconnected ends a session: the consumer may be gone with its server.
var errReconnected = errors.New("the connection was lost")

// session tells the difference between all records and the known ones, and
// then every change. It ends with an error.
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
	consumer, err := w.consumer(ctx)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(256, 3*maxPayload),
		jetstream.PullHeartbeat(heartbeat), jetstream.PullExpiry(10*heartbeat),
	)
	if err != nil {
		return err
	}
	defer w.forget(consumer)
	defer messages.Stop()

	pending := consumer.CachedInfo().NumPending
	vanished := make(map[string]struct{}, len(w.known))
	for key := range w.known {
		vanished[key] = struct{}{}
	}
	if pending == 0 {
		w.caughtUp(vanished)
	}
	for expected := uint64(1); ; expected++ {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		metadata, err := message.Metadata()
		if err != nil {
			return err
		}
		if metadata.Sequence.Consumer != expected {
			return fmt.Errorf("message %d came, where %d was due", metadata.Sequence.Consumer, expected)
		}
		change := w.change(message, metadata)
		delete(vanished, change.Key)
		w.tell(change)
		if pending > 0 && (expected >= pending || metadata.NumPending == 0) {
			pending = 0
			w.caughtUp(vanished)
		}
	}
}

// consumer makes one that begins with the last message of every subject.
func (w *natsWatch) consumer(ctx context.Context) (jetstream.Consumer, error) {
	ctx, cancel := w.store.bounded(ctx)
	defer cancel()
	return w.store.jetstream.CreateConsumer(ctx, streamName(w.store.options.Bucket), jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		FilterSubjects:    w.filters,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: abandoned,
	})
}

// forget tells the server that nobody reads on. It would find out by itself.
func (w *natsWatch) forget(consumer jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.store.closing), heartbeat)
	defer cancel()
	_ = w.store.jetstream.DeleteConsumer(ctx, streamName(w.store.options.Bucket), consumer.CachedInfo().Name)
}

func (w *natsWatch) change(message jetstream.Msg, metadata *jetstream.MsgMetadata) Change {
	record := Record{Key: message.Subject()[len(w.store.subject("")):], Revision: metadata.Sequence.Stream}
	if message.Headers().Get(operationHeader) != "" {
		return Change{record, true}
	}
	value, err := unpack(message.Data())
	if err != nil { // reported as any damaged record is, by who reads it
		value = message.Data()
	}
	record.Value = value
	return Change{Record: record}
}

// tell passes on what is news.
func (w *natsWatch) tell(change Change) {
	w.last = change.Revision
	known, told := w.known[change.Key]
	switch {
	case told && known == change.Revision:
		return
	case change.Deleted:
		delete(w.known, change.Key)
	default:
		w.known[change.Key] = change.Revision
	}
	w.changed(change)
}

// caughtUp ends the part of a session that goes through all records. Records
// that were not among them were removed so long ago that no mark is left.
func (w *natsWatch) caughtUp(vanished map[string]struct{}) {
	for key := range vanished {
		w.tell(Change{Record: Record{Key: key, Revision: w.last}, Deleted: true})
	}
	if w.ready != nil {
		w.ready()
		w.ready = nil
	}
}
