package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// leastSpace is how many bytes the disk of the data directory must have left,
// for Check to pass.
const leastSpace = 64 << 10

// Check returns an error that is ErrUnavailable unless the store answers and
// takes writes, as far as can be known without a write: the disk of the data
// directory has space left, and the last write was not refused. If the last
// write was refused, Check tries one that changes no record.
func (n *NATS) Check(ctx context.Context) error {
	_, err := n.Get(ctx, checkedKey)
	if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
		return err // that the record does not exist is an answer, too
	}
	if n.options.URL == "" {
		left, err := spaceLeft(n.options.Dir)
		switch {
		case err != nil:
			return fmt.Errorf("%w: the space on the disk of %s: %w", ErrUnavailable, n.options.Dir, err)
		case left < leastSpace:
			return fmt.Errorf("%w: it takes no writes: the disk of %s has %d bytes left", ErrUnavailable, n.options.Dir, left)
		}
	}
	why := n.unwritten.Load()
	if why == nil {
		return nil
	}
	if err := n.tryWrite(ctx); err != nil {
		return fmt.Errorf("%w: it takes no writes: %w", ErrUnavailable, err)
	}
	n.unwritten.CompareAndSwap(why, nil)
	return nil
}

// checkedKey is the key of a record that never exists: Check asks for it.
const checkedKey = "check.writes"

// tryWrite writes the mark of a removal for that key.
func (n *NATS) tryWrite(ctx context.Context) error {
	call, cancel := n.bounded(ctx)
	defer cancel()
	mark := nats.NewMsg(n.subject(checkedKey))
	mark.Header.Set(operationHeader, operationDelete)
	mark.Header.Set(checksumHeader, removalSum)
	_, err := n.jetstream.PublishMsg(call, mark, jetstream.WithMsgTTL(removalKept))
	return err
}

// noteWrite notes the error of a write, or nil, for Check. It is one of the
// store's errors.
func (n *NATS) noteWrite(err error) {
	switch {
	case err == nil:
		n.unwritten.Store(nil)
	case errors.Is(err, ErrUnavailable):
		n.unwritten.Store(&err)
	}
}
