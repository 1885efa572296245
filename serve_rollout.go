package stagedoor

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/rollout"
)

// following is the rollout while it runs.
type following struct {
	*rollout.Rollout
	cancel context.CancelFunc
	ended  chan error // gives the reason why it ended
}

// follow puts the stored configuration into effect, and its changes from then
// on. It returns when what is stored is served.
func (s *serving) follow(ctx context.Context) error {
	r := rollout.New(rollout.Options{
		Configuration: s.store.Configuration,
		Compiler: &plan.Compiler{
			Backends: s.backends.builder, Authorizers: s.backends.authorizers, Region: s.config.Region, Rates: s.rates(),
		},
		Gateway: s.gateway,
		Keys:    s.keys,
		Links:   s.backends.links,
		Report: func(p rollout.Problem) {
			s.log.Warn("cannot work as configured", "apiId", p.APIID, "stage", p.Stage, "where", p.Where, "problem", p.Message)
		},
	})
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.rollout = &following{r, cancel, make(chan error, 1)}
	go func() { s.rollout.ended <- r.Run(running) }()
	select {
	case <-r.Ready():
		return nil
	case err := <-s.rollout.ended:
		s.rollout.ended <- err
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the following. The error says why it had ended before.
func (f *following) stop() error {
	f.cancel()
	return <-f.ended
}
