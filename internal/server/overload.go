package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/overload"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// overloadInterval is how often a gateway looks at what may run out.
const overloadInterval = 250 * time.Millisecond

// loopsStandStill is how long the event loops may take for a turn until they are
// as good as standing still.
const loopsStandStill = 5 * time.Second

// limitMemory has the process keep to its limit of memory until undo is called. It
// returns the limit in bytes, 0 where there is none.
func limitMemory(c *config.Config, log *slog.Logger) (limit int64, undo func()) {
	limit, undo = overload.LimitMemory(int64(c.Limits.Memory))
	if limit > 0 {
		log.Info("memory is limited", "bytes", limit)
	}
	return limit, undo
}

// watchOverload looks after what may run out while the gateway serves. lag is told how
// long the event loops took for a turn.
func watchOverload(ctx context.Context, engine *websocket.Engine, g *gateway.Gateway, lag func(time.Duration), log *slog.Logger) *lifetime.Task {
	manager := overload.New(log, pressures(engine, lag), actions(engine, g))
	return lifetime.Start(ctx, func(ctx context.Context) { manager.Run(ctx, overloadInterval) })
}

// pressures are what may run out.
func pressures(engine *websocket.Engine, lag func(time.Duration)) []overload.Pressure {
	alive := func(ctx context.Context) error {
		asked := time.Now()
		defer func() { lag(time.Since(asked)) }()
		return engine.Alive(ctx)
	}
	return []overload.Pressure{
		overload.Memory(), overload.Descriptors(), overload.Lag(alive, loopsStandStill),
		overload.Share("messages in flight", engine.InFlight),
	}
}

// actions are what is done when something runs out, the mildest first.
func actions(engine *websocket.Engine, gateway *gateway.Gateway) []overload.Action {
	return []overload.Action{
		{
			Name: "pausing those who send most",
			From: map[string]float64{"memory": 0.85, "messages in flight": 0.85, "lag": 0.2},
			Set: func(active bool) {
				if !active {
					engine.ReleaseHeld()
				}
			},
			Step: engine.HoldGreediest,
		},
		{
			Name: "refusing handshakes",
			From: map[string]float64{"memory": 0.9, "descriptors": 0.9, "messages in flight": 0.95, "lag": 0.9},
			Set:  gateway.RefuseHandshakes,
		},
		{
			Name: "dropping slow readers",
			From: map[string]float64{"memory": 0.95},
			Step: func() { engine.DropSlow(engine.Waiting() / 2) },
		},
	}
}
