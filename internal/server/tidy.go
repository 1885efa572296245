package server

import (
	"context"
	"errors"
	"log/slog"

	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/store"
)

// janitor finishes what a crash left half done.
type janitor struct {
	store      *storage
	operations control.Options
	log        *slog.Logger
}

// startJanitor has a janitor work beside the traffic: what it writes is served as
// any other change. A store that does not answer is tried again.
func startJanitor(ctx context.Context, s *storage, operations control.Options, log *slog.Logger) *lifetime.Task {
	j := &janitor{s, operations, log}
	return lifetime.Start(ctx, func(ctx context.Context) {
		if s.records.Damage() != nil {
			return // what seems to be left over may belong to what is damaged
		}
		for errors.Is(j.clean(ctx), store.ErrUnavailable) && ctx.Err() == nil {
			pause(ctx, storeInterval)
		}
	})
}

// clean removes what belongs to APIs that are gone, and brings automatic stages
// to their APIs.
func (j *janitor) clean(ctx context.Context) error {
	removed, err := j.store.Clean(ctx)
	if len(removed) > 0 {
		j.log.Info("what was left of removed APIs is removed", "records", len(removed))
	}
	if err == nil {
		err = control.Heal(ctx, j.operations)
	}
	if err != nil && !errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil { // whoever reads the store says that it does not answer
		j.log.Warn("what an earlier stop left half done is not looked for", "error", err)
	}
	return err
}
