package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// NodeAuto, in the place of a node's number, stands for any number that is
// free.
const NodeAuto = -1

// defaultLease is how long a number stays taken after its holder renewed it
// last.
const defaultLease = 15 * time.Second

// Limits of claiming a number.
const (
	autoTries   = 16
	highestNode = 65535
	// nodesKept is how long the record of a number is kept after it was renewed
	// last. Gateways that are gone for good leave such records.
	nodesKept = 24 * time.Hour
	// nodeLooks is how often each gateway looks for such records in that time.
	nodeLooks = 24
)

// Node is the record of the gateway that holds a node's number.
type Node struct {
	Version int `json:"version"`
	// Instance is random, and new for each start of a gateway. Epoch counts the
	// claims of the number.
	Instance string `json:"instance"`
	Epoch    uint64 `json:"epoch"`
	// Name is the machine's host name; PID is the process there.
	Name string `json:"name"`
	PID  int    `json:"pid"`
	// Machine and Started identify the process for others on the same machine:
	// the space of process ids that PID belongs to, and when the process began.
	// They may be empty.
	Machine string `json:"machine,omitempty"`
	Started string `json:"started,omitempty"`
}

const nodeVersion = 1

// NodeInUseError means that another gateway, which runs, has the node's number.
type NodeInUseError struct {
	Number int
	Holder Node
}

func (e *NodeInUseError) Error() string {
	return fmt.Sprintf("node number %d is in use by the gateway on %s (process %d): each gateway of a store needs a number of its own, which the key node gives it",
		e.Number, e.Holder.Name, e.Holder.PID)
}

// nodesSuffix makes the name of the bucket for the numbers of nodes of that of the
// configuration.
const nodesSuffix = "_nodes"

// ErrNoNodes means that the servers answer, but numbers of nodes cannot be
// claimed: usually because the user has no access to their bucket.
var ErrNoNodes = errors.New("the bucket for the numbers of nodes cannot be used")

// NodeClaim is the number that a gateway wants. All but Number may be zero.
type NodeClaim struct {
	Number int // or NodeAuto
	// Waiting is called once where another gateway has the number and may be
	// gone. ClaimNode then waits, for 4/3 of a lease at most, for it to renew
	// the number. It may be nil.
	Waiting func(holder Node)
	// Lost is called when another gateway has taken the number, because this
	// one could not renew it for longer than a lease. It may be nil.
	Lost func(holder Node)

	lease time.Duration // defaultLease if 0
	kept  time.Duration // nodesKept if 0
}

// ClaimNode takes a number for this gateway, among all that share the bucket,
// and renews it until Release. Clocks of different machines are not compared: a
// number is free when its record did not change for 4/3 of a lease, as measured
// here, or when its holder was a process of this machine that has ended.
//
// The error is a *NodeInUseError, ErrNoNodes, ErrUnavailable, or that of ctx.
func (n *NATS) ClaimNode(ctx context.Context, c NodeClaim) (*NodeLease, error) {
	if c.lease == 0 {
		c.lease = defaultLease
	}
	if c.kept == 0 {
		c.kept = nodesKept
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

// Lock takes the lock with a name, which one gateway of all that share the
// bucket can have, and renews it until Release. It waits while another gateway
// has it; one that is gone loses it as it loses its number. The error is
// ErrNoNodes, ErrUnavailable, or that of ctx.
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
	l := &NodeLease{store: n, claim: c, Number: c.Number}
	l.own = Node{Version: nodeVersion, Instance: newInstance(), Epoch: 1, PID: os.Getpid()}
	l.own.Name, _ = os.Hostname() // else empty
	l.own.Machine, l.own.Started = processOf(l.own.PID)
	return l
}

// begin starts to renew the number or the lock, until Release.
func (l *NodeLease) begin(ctx context.Context) {
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	l.running.Go(func() { l.keep(keeping) })
	if l.name == "" {
		l.running.Go(func() { l.tidy(keeping) })
	}
}

func newInstance() string {
	return fmt.Sprintf("%016x%016x", mathrand.Uint64(), mathrand.Uint64())
}

// open opens the bucket, and makes it if there is none.
func (l *NodeLease) open(ctx context.Context) (err error) {
	options := l.store.options
	options.Bucket += nodesSuffix
	call, cancel := context.WithTimeout(ctx, 2*options.Timeout)
	defer cancel()
	if l.bucket, err = openBucket(call, l.store.jetstream, options); err != nil {
		return l.explain(ctx, err)
	}
	return nil
}

// explain returns ErrUnavailable for servers that do not answer, and ErrNoNodes
// for servers that refuse.
func (l *NodeLease) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case l.store.nodesDenied.Load() || isAnswer(err):
		return fmt.Errorf("%w: %w", ErrNoNodes, err)
	}
	return l.store.explain(ctx, err)
}

// isAnswer reports whether an error is what servers answered that will not answer
// otherwise soon. Those that start, or stand still, give no such answer.
func isAnswer(err error) bool {
	var answer *jetstream.APIError
	return errors.As(err, &answer) && answer.Code != http.StatusServiceUnavailable
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

// takeNumber takes the number if it is free, or once its holder is known to be
// gone.
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

// watch waits until it is known whether the holder of the number runs. If it
// does, the error is a *NodeInUseError. If it does not, watch returns the
// revision of its record, 0 where the record is gone.
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

// hasEnded reports whether a holder is known to be gone: it was a process of
// this machine, and has ended.
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

// read returns the record of the number, nil where there is none, and its
// revision.
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
		holder = &Node{Name: "a machine that cannot be read"} // its holder may run nevertheless
	}
	return entry.Revision(), holder, nil
}

// write writes our record if the record's revision is still the given one, 0
// where there is none; else the error is ErrConflict.
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
