package store

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// last returns the last message of a record, which may be the mark of a
// removal, or jetstream.ErrMsgNotFound.
func (n *NATS) last(ctx context.Context, key string) (*jetstream.RawStreamMsg, error) {
	return n.stream.GetLastMsgForSubject(ctx, n.subject(key))
}

// isRemoval reports whether a message is the mark of a removal.
func isRemoval(header nats.Header) bool {
	return header.Get(operationHeader) != "" || header.Get(jetstream.MarkerReasonHeader) != ""
}

// Get implements Store.
func (n *NATS) Get(ctx context.Context, key string) (Record, error) {
	if err := checkKey(key); err != nil {
		return Record{}, err
	}
	if lost, is := n.lost.record(key); is {
		return lost, nil
	}
	call, cancel := n.bounded(ctx)
	defer cancel()
	message, err := n.last(call, key)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return Record{}, ErrNotFound
	case err != nil:
		return Record{}, n.explain(ctx, err)
	case isRemoval(message.Header):
		return Record{}, ErrNotFound
	}
	return checkedRecord(key, message.Data, message.Sequence, message.Header.Get(checksumHeader)), nil
}

// Put implements Store.
func (n *NATS) Put(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	packed, sum := pack(value), checksum(key, value)
	return n.write(ctx, key, revision, sum, func(ctx context.Context) (uint64, error) {
		message := nats.NewMsg(n.subject(key))
		message.Header.Set(checksumHeader, sum)
		message.Data = packed
		written, err := n.publish(ctx, message, revision)
		if err == nil || revision != 0 {
			return written, err
		}
		// The record does not exist if its last message is the mark of a removal.
		if mark, noMark := n.last(ctx, key); noMark == nil && isRemoval(mark.Header) {
			return n.publish(ctx, message, mark.Sequence)
		}
		return 0, err
	})
}

// publish writes a message, if the last message of its subject has the sequence
// after.
func (n *NATS) publish(ctx context.Context, message *nats.Msg, after uint64, options ...jetstream.PublishOpt) (uint64, error) {
	answer, err := n.jetstream.PublishMsg(ctx, message, append(options, jetstream.WithExpectLastSequencePerSubject(after))...)
	if err != nil {
		return 0, err
	}
	return answer.Sequence, nil
}

// removalKept is how long the mark of a removal stays in the bucket, so that a
// watch sees it that was cut off at the time. A watch that was cut off for
// longer sees that the record is missing.
const removalKept = 24 * time.Hour

// Delete implements Store.
func (n *NATS) Delete(ctx context.Context, key string, revision uint64) (uint64, error) {
	switch record, err := n.Get(ctx, key); {
	case err != nil:
		return 0, err
	case record.Revision != revision:
		return 0, ErrConflict
	}
	return n.write(ctx, key, revision, removalSum, func(ctx context.Context) (uint64, error) {
		mark := nats.NewMsg(n.subject(key))
		mark.Header.Set(operationHeader, operationDelete)
		mark.Header.Set(checksumHeader, removalSum)
		return n.publish(ctx, mark, revision, jetstream.WithMsgTTL(removalKept))
	})
}

// pauseUndecided is the pause before a write is sent again whose outcome is not
// known.
const pauseUndecided = 5 * time.Millisecond

// write sends a write until its outcome is known. A cluster refuses a write
// while another one to the same record is under way, and for a moment longer:
// only the record shows which of them was done. When write returns, the
// manifest has what was written, or may have been, with its checksum.
func (n *NATS) write(ctx context.Context, key string, revision uint64, sum string, send func(context.Context) (uint64, error)) (_ uint64, err error) {
	defer func() { n.noteWrite(err) }()
	if lost, is := n.lost.record(key); is {
		return 0, &RecordError{key, lost.Revision, lost.Err}
	}
	call, cancel := n.bounded(ctx)
	defer cancel()
	for {
		written, err := send(call)
		switch {
		case err == nil:
			n.manifest.note(key, entry{Revision: written, Sum: sum})
			return written, nil
		case !isWrongRevision(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant):
			if err = n.explain(ctx, err); !errors.Is(err, ErrConflict) && !errors.Is(err, ErrTooLarge) {
				n.manifest.noteUncertain(key) // it may have been written nevertheless
			}
			return 0, err
		}
		record, err := n.Get(call, key) // no record: revision 0
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return 0, n.explain(ctx, err)
		case record.Revision != revision:
			return 0, ErrConflict
		}
		select {
		case <-call.Done():
			return 0, n.explain(ctx, call.Err())
		case <-time.After(pauseUndecided):
		}
	}
}
