package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// NodeAuto in the place of a node's number stands for one that is free.
const NodeAuto = -1

// defaultLease is how long a number stays taken whose holder is silent.
const defaultLease = 15 * time.Second

// Limits of claiming a number.
const (
	autoTries   = 16
	highestNode = 65535
	// nodesKept is how long the record of a number stays that nobody renews: what
	// gateways leave that are gone for good.
	nodesKept = 24 * time.Hour
)

// Node is who holds a node's number, as the store knows it.
type Node struct {
	Version int `json:"version"`
	// Instance is another one for each start of a gateway. Epoch counts the
	// claims of the number.
	Instance string `json:"instance"`
	Epoch    uint64 `json:"epoch"`
	// Name is what people know the machine by; PID is the process there.
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Machine and Started make the process known to others of its machine: a
	// space of process ids, and when the process began in it. They may be empty.
	Machine string `json:"machine,omitempty"`
	Started string `json:"started,omitempty"`
}

const nodeVersion = 1

// NodeInUseError says that another gateway, which lives, has a node's number.
type NodeInUseError struct {
	Number int
	Holder Node
}

func (e *NodeInUseError) Error() string {
	return fmt.Sprintf("node number %d is in use by the gateway on %s (process %d): each gateway of a store needs a number of its own, which the key node gives it",
		e.Number, e.Holder.Name, e.Holder.PID)
}

// ErrNoNodes says that the servers answer, and yet numbers of nodes cannot be
// claimed: mostly because the user may not use their bucket.
var ErrNoNodes = errors.New("the bucket for the numbers of nodes cannot be used")

// NodeClaim says which number a gateway wants. The zero value, with a Number, works.
type NodeClaim struct {
	Number int // or NodeAuto
	// Waiting is told, once, of a holder that may be gone: it is known for certain
	// after a lease, or with its next sign of life. Nil is told nothing.
	Waiting func(holder Node)
	// Lost is told when another gateway has the number, as this one could not renew
	// it for long. Nil is told nothing.
	Lost func(holder Node)

	lease time.Duration // defaultLease if 0
}

// ClaimNode makes a number this gateway's, among all that share the bucket, until
// Release, and keeps it by renewing it. Nobody's clock is compared with another's:
// a number is free when its record did not change for a lease and a third of it,
// as measured here, or when its holder was a process of this machine that ended.
//
// The error is a *NodeInUseError, ErrNoNodes, ErrUnavailable, or that of ctx.
func (n *NATS) ClaimNode(ctx context.Context, c NodeClaim) (*NodeLease, error) {
	if c.lease == 0 {
		c.lease = defaultLease
	}
	l := n.newLease(c)
	if err := l.open(ctx); err != nil {
		return nil, err
	}
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	l.begin(ctx)
	return l, nil
}

// Lock makes this gateway the only one of those that share the bucket that does
// something, by its name, until Release. It waits for others that do it; those
// that are gone lose it as they lose their numbers. The error is ErrNoNodes,
// ErrUnavailable, or that of ctx.
func (n *NATS) Lock(ctx context.Context, name string) (*NodeLease, error) {
	for {
		l := n.newLease(NodeClaim{lease: defaultLease})
		l.name = "lock." + name
		err := l.open(ctx)
		if err == nil {
			err = l.takeNumber(ctx)
		}
		var busy *NodeInUseError
		switch {
		case err == nil:
			l.begin(ctx)
			return l, nil
		case !errors.As(err, &busy):
			return nil, err
		}
	}
}

func (n *NATS) newLease(c NodeClaim) *NodeLease {
	l := &NodeLease{store: n, claim: c, Number: c.Number, ended: make(chan struct{})}
	l.own = Node{Version: nodeVersion, Instance: newInstance(), Epoch: 1, PID: os.Getpid()}
	l.own.Name, _ = os.Hostname() // else empty
	l.own.Machine, l.own.Started = processOf(l.own.PID)
	return l
}

// begin keeps what was taken, until Release.
func (l *NodeLease) begin(ctx context.Context) {
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	go l.keep(keeping)
}

func newInstance() string {
	return fmt.Sprintf("%016x%016x", mathrand.Uint64(), mathrand.Uint64())
}

// open opens the bucket, and makes it if there is none.
func (l *NodeLease) open(ctx context.Context) (err error) {
	options := l.store.options
	options.Bucket += "_nodes"
	options.keep = nodesKept
	call, cancel := context.WithTimeout(ctx, 2*options.Timeout)
	defer cancel()
	if l.bucket, err = openBucket(call, l.store.jetstream, options); err != nil {
		return l.explain(ctx, err)
	}
	return nil
}

// explain tells servers that are gone from those that do not let us.
func (l *NodeLease) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case l.store.connection.IsConnected():
		return fmt.Errorf("%w: %w", ErrNoNodes, err)
	}
	return l.store.explain(ctx, err)
}

// take takes the number that is wanted, or one that is free.
func (l *NodeLease) take(ctx context.Context) error {
	if l.claim.Number != NodeAuto {
		return l.takeNumber(ctx)
	}
	for range autoTries {
		l.Number = mathrand.IntN(highestNode + 1)
		switch _, taken, err := l.read(ctx); {
		case err != nil:
			return err
		case taken != nil:
			continue
		}
		switch err := l.write(ctx, 0); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrConflict):
			return err
		}
	}
	return fmt.Errorf("no free number of a node was found in %d tries: give this gateway one by the key node", autoTries)
}

// takeNumber takes the number from a holder that is gone, or from nobody.
func (l *NodeLease) takeNumber(ctx context.Context) error {
	for {
		revision, holder, err := l.read(ctx)
		if err != nil {
			return err
		}
		if holder != nil && !holder.hasEnded() {
			if revision, err = l.watch(ctx, revision, *holder); err != nil {
				return err
			}
		}
		if holder != nil {
			l.own.Epoch = holder.Epoch + 1
		}
		if err := l.write(ctx, revision); !errors.Is(err, ErrConflict) {
			return err
		}
	}
}

// watch waits until a holder is known to live, which is a *NodeInUseError, or not
// to: then it gives the revision of its record, 0 for none.
func (l *NodeLease) watch(ctx context.Context, revision uint64, holder Node) (uint64, error) {
	if l.claim.Waiting != nil {
		l.claim.Waiting(holder)
	}
	expired := time.NewTimer(l.claim.lease * 4 / 3)
	defer expired.Stop()
	look := time.NewTicker(l.claim.lease / 15)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-expired.C:
			return revision, nil
		case <-look.C:
		}
		switch now, present, err := l.read(ctx); {
		case errors.Is(err, ErrUnavailable):
			expired.Reset(l.claim.lease * 4 / 3) // the holder could not renew it either
		case err != nil:
			return 0, err
		case present == nil:
			return 0, nil
		case now != revision:
			return 0, &NodeInUseError{l.Number, *present}
		}
	}
}

// hasEnded reports whether a holder is known to be gone: a process of this machine
// that ended.
func (h *Node) hasEnded() bool {
	machine, _ := processOf(os.Getpid())
	if machine == "" || h.Machine != machine {
		return false
	}
	_, started := processOf(h.PID)
	return started != h.Started
}

func (l *NodeLease) key() string {
	if l.name != "" {
		return l.name
	}
	return "n." + strconv.Itoa(l.Number)
}

// read returns the record of the number, and its revision; nil stands for none.
func (l *NodeLease) read(ctx context.Context) (uint64, *Node, error) {
	call, cancel := l.store.bounded(ctx)
	defer cancel()
	entry, err := l.bucket.Get(call, l.key())
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrKeyDeleted):
		return 0, nil, nil
	case err != nil:
		return 0, nil, l.explain(ctx, err)
	}
	holder := new(Node)
	if json.Unmarshal(entry.Value(), holder) != nil {
		holder = &Node{Name: "a machine that cannot be read"} // it may live all the same
	}
	return entry.Revision(), holder, nil
}

// write makes the record ours if its revision is still the given one, 0 for none;
// else the error is ErrConflict.
func (l *NodeLease) write(ctx context.Context, revision uint64) error {
	call, cancel := l.store.bounded(ctx)
	defer cancel()
	text, err := json.Marshal(l.own)
	if err != nil {
		return err
	}
	var written uint64
	if revision == 0 {
		written, err = l.bucket.Create(call, l.key(), text)
	} else {
		written, err = l.bucket.Update(call, l.key(), text, revision)
	}
	switch {
	case err == nil:
		l.revision = written
		return nil
	case errors.Is(err, jetstream.ErrKeyExists), isWrongRevision(err, jetstream.JSErrCodeStreamWrongLastSequence),
		isWrongRevision(err, jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return ErrConflict
	}
	return l.explain(ctx, err)
}
