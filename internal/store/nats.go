package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// NATS is a Store in a key-value bucket of NATS JetStream. Close must be called.
//
// The bucket is one that the nats tool can read: a record is the last message
// of the subject $KV.{bucket}.{key}, and its revision is that message's
// sequence in the stream.
type NATS struct {
	options    Options
	server     *embeddedServer   // nil: the servers are elsewhere
	manifest   *manifest         // what the embedded store must hold; nil: the servers are elsewhere
	lost       losses            // what it lost; none where the servers are elsewhere
	backups    *automaticBackups // nil: there are none
	connection *nats.Conn
	jetstream  jetstream.JetStream
	stream     jetstream.Stream
	log        *slog.Logger

	reconnected signal                  // the connection was lost and is back
	refused     context.CancelCauseFunc // ends the waiting of Open
	failure     atomic.Pointer[error]   // why there is no connection; nil before a first failure
	nodesDenied atomic.Bool             // the user may not use the bucket for the numbers of nodes
	unwritten   atomic.Pointer[error]   // the error of the last write; nil if it was done

	closing  context.Context // ends when Close begins
	close    context.CancelFunc
	mu       sync.Mutex // guards closed and watching; held where a watch begins or ends, and where Close begins
	closed   bool       // Close was called
	watches  sync.WaitGroup
	watching map[*natsWatch]struct{} // guarded by mu
}

// Open starts the NATS server of this process, or connects to those elsewhere,
// and makes the bucket if there is none. It waits for servers that do not
// answer yet until ctx ends, or for some seconds, and then returns
// ErrUnavailable. Where servers refuse this client's credentials it returns at
// once, with an error that wraps ErrRefused too.
func Open(ctx context.Context, options Options) (*NATS, error) {
	options, err := options.prepared()
	if err != nil {
		return nil, err
	}
	n := &NATS{options: options, watching: make(map[*natsWatch]struct{}), log: options.Log}
	n.closing, n.close = context.WithCancel(context.Background())
	if options.URL == "" {
		if n.server, err = startEmbedded(ctx, options); err != nil {
			return nil, err
		}
		n.manifest, n.lost = n.server.manifest, n.server.lost
	}
	err = n.connect(ctx)
	if err == nil && n.server != nil {
		err = n.confirm(ctx, n.server.records)
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	n.startBackups()
	return n, nil
}

func (n *NATS) connect(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*n.options.Timeout)
	defer cancel()
	ctx, n.refused = context.WithCancelCause(ctx)
	defer n.refused(nil)
	if n.connection, err = dial(n.options, n.server, n.connected, n.noteFailure, n.noteDenied); err != nil {
		return err
	}
	if n.jetstream, err = jetstream.New(n.connection); err != nil {
		return err
	}
	if _, err = openBucket(ctx, n.jetstream, n.options); err == nil {
		n.stream, err = n.jetstream.Stream(ctx, streamName(n.options.Bucket))
	}
	if refusal := context.Cause(ctx); err != nil && errors.Is(refusal, ErrRefused) {
		return fmt.Errorf("%w: %w", ErrUnavailable, refusal)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, n.unconnected(cmp.Or(n.connection.LastError(), err)))
	}
	return nil
}

// confirm returns an error unless the server has found all records that must be
// there.
func (n *NATS) confirm(ctx context.Context, records map[string]lastWrite) error {
	call, cancel := n.bounded(ctx)
	defer cancel()
	subjects, _, err := n.subjects(call, n.filter(""))
	if err != nil {
		return n.explain(ctx, err)
	}
	has := make(map[string]bool, len(subjects))
	for _, key := range subjects {
		has[key] = true
	}
	for key, s := range records {
		if !has[key] && s.sum != removalSum {
			return fmt.Errorf("%w: its files have %s, and the NATS server does not", ErrUnavailable, key)
		}
	}
	return nil
}

// Damage describes what the open store has lost; nil stands for nothing.
func (n *NATS) Damage() *Damage {
	if n.server == nil {
		return nil
	}
	return n.server.damage
}

func (n *NATS) connected() {
	n.failure.Store(nil)
	n.nodesDenied.Store(false)
	n.reconnected.send()
}

// noteDenied notes whether a request that the servers did not allow was for the
// bucket for the numbers of nodes. They do not answer such a request.
func (n *NATS) noteDenied(err error) {
	if strings.Contains(err.Error(), n.options.Bucket+nodesSuffix) {
		n.nodesDenied.Store(true)
	}
}

// noteFailure notes why there is no connection, and logs the reason if it is
// not the same as before. A refusal ends the waiting of Open: it lasts until
// somebody changes the servers or our options.
func (n *NATS) noteFailure(err error) {
	if isRefusal(err) {
		err = fmt.Errorf("%w %s: %w", ErrRefused, n.options.identity(), err)
		n.refused(err)
	}
	if before := n.failure.Swap(&err); before == nil || (*before).Error() != err.Error() {
		n.log.Warn("There is no connection to the configuration store", "error", err)
	}
}

// isRefusal reports whether a server refused this client's credentials.
func isRefusal(err error) bool {
	for _, refusal := range []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// unconnected replaces what a missing connection meant for a call by the reason
// why there is no connection.
func (n *NATS) unconnected(err error) error {
	why := n.failure.Load()
	switch {
	case n.connection.IsConnected():
		return err
	case why != nil:
		return fmt.Errorf("no connection: %w", *why)
	case errors.Is(err, nats.ErrReconnectBufExceeded):
		return errors.New("there is no connection yet")
	}
	return err
}

// Close ends all watches, and the server of this process. Calls that are under
// way, and later ones, return ErrClosed.
func (n *NATS) Close() {
	n.mu.Lock()
	began := n.closed
	n.closed = true
	n.mu.Unlock()
	if began {
		return
	}
	n.backups.stop() // writes a last one, while the server still runs
	n.mu.Lock()
	n.close()
	n.mu.Unlock()
	n.watches.Wait()
	if n.connection != nil {
		n.connection.Close()
	}
	if n.server != nil {
		n.server.stop()
	}
}

// bounded returns a context with the time limit of a call.
func (n *NATS) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, n.options.Timeout)
}

// explain turns an error of NATS into one of the store's.
func (n *NATS) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrClosed): // explained already
		return err
	case n.closing.Err() != nil:
		return ErrClosed
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return ErrNotFound
	case isWrongRevision(err, jetstream.JSErrCodeStreamWrongLastSequence):
		return ErrConflict
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: the NATS servers' max_payload is %d bytes", ErrTooLarge, n.connection.MaxPayload())
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %s", n.options.Timeout)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, n.unconnected(err))
}

// isWrongRevision reports whether a write was refused because of its revision,
// by the server's code for that.
func isWrongRevision(err error, code jetstream.ErrorCode) bool {
	var answer *jetstream.APIError
	return errors.As(err, &answer) && answer.ErrorCode == code
}
