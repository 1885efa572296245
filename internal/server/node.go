package server

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/store"
)

// claimNode makes the node's number this gateway's among all that share the NATS
// servers. A data folder has one gateway alone.
func (s *Server) claimNode(ctx context.Context) error {
	if s.node = s.config.Node; s.config.NATS.URL == "" {
		return nil
	}
	claim := store.NodeClaim{
		Number: s.config.Node,
		Waiting: func(h store.Node) {
			s.log.Info("the node's number was another gateway's; the start waits until it is known whether that one is gone",
				"node", s.config.Node, "host", h.Name, "process", h.PID)
		},
		Lost: func(h store.Node) {
			s.log.Error("another gateway has the node's number, as this one did not reach the store for long; give one of them another by the key node, and restart it",
				"node", s.node, "host", h.Name, "process", h.PID)
		},
	}
	for {
		lease, err := s.store.nats.ClaimNode(ctx, claim)
		switch {
		case err == nil:
			s.lease, s.node = lease, lease.Number
			s.log.Info("the node has a number", "node", s.node)
			return nil
		case errors.Is(err, store.ErrNoNodes):
			s.log.Warn("the node's number is not claimed, so that a second gateway with it is not noticed; the NATS user needs the permissions that docs/self-host.md lists",
				"error", err)
			if s.node == config.NodeAuto {
				s.node = rand.IntN(1 << 16)
			}
			return nil
		case errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil:
			s.noteStore(err)
			pause(ctx, storeInterval)
		default:
			return err
		}
	}
}
