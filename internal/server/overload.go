package server

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/overload"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// overloadInterval is how often a gateway looks at what may run out.
const overloadInterval = 250 * time.Millisecond

// loopsStandStill is how long the event loops may take for a turn until they are
// as good as standing still.
const loopsStandStill = 5 * time.Second

// overloadWatch looks after what may run out while the gateway serves.
type overloadWatch struct {
	end  context.CancelFunc
	done chan struct{}
}

// limitMemory has the process keep to its limit of memory, and gives the part of
// it that is for what clients have not read; 0 where there is no limit.
func (s *Server) limitMemory() int64 {
	limit, undo := overload.LimitMemory(int64(s.config.Limits.Memory))
	s.freeMemory = undo
	if limit > 0 {
		s.log.Info("memory is limited", "bytes", limit)
	}
	return limit / 4
}

// watchOverload starts to look at what may run out.
func (s *Server) watchOverload() {
	manager := overload.New(s.log, pressures(s.engine), actions(s.engine, s.gateway))
	ctx, cancel := context.WithCancel(context.Background())
	w := &overloadWatch{cancel, make(chan struct{})}
	go func() {
		defer close(w.done)
		manager.Run(ctx, overloadInterval)
	}()
	s.overload = w
}

func (w *overloadWatch) stop() {
	w.end()
	<-w.done
}

// pressures are what may run out.
func pressures(engine *websocket.Engine) []overload.Pressure {
	return []overload.Pressure{
		overload.Memory(), overload.Descriptors(), overload.Lag(engine.Alive, loopsStandStill),
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
