package server

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/store"
)

// node is this gateway among all that share the NATS servers.
type node struct {
	number int
	lease  *store.NodeLease // nil: nobody shares the store, or nobody can tell
}

// claimNode makes a number this gateway's own, that of the configuration or a free
// one. It waits for a store that does not answer. A data folder has one gateway
// alone.
func claimNode(ctx context.Context, c *config.Config, nats *store.NATS, h *health) (*node, error) {
	if c.NATS.URL == "" {
		return &node{number: c.Node}, nil
	}
	claimed := &node{number: c.Node}
	claim := store.NodeClaim{
		Number: c.Node,
		Waiting: func(other store.Node) {
			h.log.Info("the node's number was another gateway's; the start waits until it is known whether that one is gone",
				"node", c.Node, "host", other.Name, "process", other.PID)
		},
		Lost: func(other store.Node) {
			h.log.Error("another gateway has the node's number, as this one did not reach the store for long; give one of them another by the key node, and restart it",
				"node", claimed.number, "host", other.Name, "process", other.PID)
		},
	}
	for {
		lease, err := nats.ClaimNode(ctx, claim)
		switch {
		case err == nil:
			claimed.lease, claimed.number = lease, lease.Number
			h.log.Info("the node has a number", "node", claimed.number)
			return claimed, nil
		case errors.Is(err, store.ErrNoNodes):
			h.log.Warn("the node's number is not claimed, so that a second gateway with it is not noticed; the NATS user needs the permissions that docs/self-host.md lists",
				"error", err)
			if claimed.number == config.NodeAuto {
				claimed.number = rand.IntN(1 << 16)
			}
			return claimed, nil
		case errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil:
			h.noteStore(err)
			pause(ctx, storeInterval)
		default:
			return nil, err
		}
	}
}

// close gives the number back.
func (n *node) close(context.Context) {
	if n.lease != nil {
		n.lease.Release()
	}
}
