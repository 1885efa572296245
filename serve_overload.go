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
