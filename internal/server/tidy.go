package server

import (
	"context"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/store"
)

// tidying is the search for what a crash left half done, while it runs.
type tidying struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has ended
}

// startTidying finishes what a crash left half done, beside the traffic: what it
// writes is served as any other change. A store that does not answer is tried
// again.
func (s *Server) startTidying(ctx context.Context) {
	if s.store.kept.Damage() != nil {
		return // what seems to be left over may belong to what is damaged
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &tidying{cancel, make(chan struct{})}
	s.tidying = t
	go func() {
		defer close(t.ended)
		for errors.Is(s.tidy(ctx), store.ErrUnavailable) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(storeInterval):
			}
		}
	}()
}

// tidy removes what belongs to APIs that are gone, and brings automatic stages
// to their APIs.
func (s *Server) tidy(ctx context.Context) error {
	removed, err := s.store.Clean(ctx)
	if len(removed) > 0 {
		s.log.Info("what was left of removed APIs is removed", "records", len(removed))
	}
	if err == nil {
		err = control.Heal(ctx, s.controlOptions())
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("what an earlier stop left half done is not looked for", "error", err)
	}
	return err
}

// stop ends the search.
func (t *tidying) stop() {
	t.cancel()
	<-t.ended
}
