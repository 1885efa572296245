package stagedoor

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/overload"
)

// overloadInterval is how often a gateway looks at what may run out.
const overloadInterval = 250 * time.Millisecond

// loopsStandStill is how long the event loops may take for a turn until they are
// as good as standing still.
const loopsStandStill = 4 * time.Second

// overloadWatch looks after what may run out while the gateway serves.
type overloadWatch struct {
	end  context.CancelFunc
	done chan struct{}
}

// limitMemory has the process keep to its limit of memory, and gives the part of
// it that is for what clients have not read; 0 where there is no limit.
func (s *serving) limitMemory() int64 {
	limit, undo := overload.LimitMemory(int64(s.config.Limits.Memory))
	s.freeMemory = undo
	if limit > 0 {
		s.log.Info("memory is limited", "bytes", limit)
	}
	return limit / 4
}

// watchOverload starts to look at what may run out, and says what is then done.
func (s *serving) watchOverload() {
	manager := overload.New(s.log, []overload.Pressure{
		overload.Memory(), overload.Descriptors(), overload.Lag(s.engine.Alive, loopsStandStill),
	}, []overload.Action{
		{
			Name: "refusing handshakes",
			From: map[string]float64{"memory": 0.9, "descriptors": 0.9, "lag": 0.5},
			Set:  s.gateway.RefuseHandshakes,
		},
		{
			Name: "dropping slow readers",
			From: map[string]float64{"memory": 0.95},
			Step: func() { s.engine.DropSlow(s.engine.Waiting() / 2) },
		},
	})
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
