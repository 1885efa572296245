package server

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// following is the rollout while it runs.
type following struct {
	*rollout.Rollout
	compiler *plan.Compiler
	cancel   context.CancelFunc
	ended    chan error // gives the reason why it ended
}

// follow puts the stored configuration into effect, and its changes from then
// on. It returns when what is stored is served.
func (s *Server) follow(ctx context.Context) error {
	compiler := &plan.Compiler{
		Backends: s.backends.builder, Authorizers: s.backends.authorizers, Region: s.config.Region, Rates: s.rates(),
		Domain: s.domain(),
	}
	compiler.SetLimits(s.config.Limits.Each)
	r := rollout.New(rollout.Options{
		Configuration: s.store.Configuration,
		Compiler:      compiler,
		Gateway:       s.gateway,
		Keys:          s.keys,
		Links:         s.backends.links,
		Damaged:       s.store.kept.Damage().Keys(),
		Report: func(p rollout.Finding) {
			s.log.Warn("cannot work as configured", "apiId", p.APIID, "stage", p.Stage, "where", p.Where, "problem", p.Message)
		},
	})
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.rollout = &following{r, compiler, cancel, make(chan error, 1)}
	go func() { s.rollout.ended <- r.Run(running) }()
	late := time.NewTicker(lateInterval)
	defer late.Stop()
	for {
		select {
		case <-r.Ready():
			return nil
		case err := <-s.rollout.ended:
			s.rollout.ended <- err
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			s.log.Warn("the configuration is not read yet; the gateway starts when it is")
		}
	}
}

// lateInterval is how often a gateway says that it waits for the configuration.
const lateInterval = 30 * time.Second

// setLimits has other limits apply to connections that open from now on.
func (f *following) setLimits(l usage.ConnectionLimits) {
	f.compiler.SetLimits(l)
	f.Recompile()
}

// stop ends the following. The error says why it had ended before.
func (f *following) stop() error {
	f.cancel()
	return <-f.ended
}

// shortURLEnds says that /{stage} is refused from now on.
func (s *Server) shortURLEnds(stage string, apiIDs []string) {
	s.log.Warn("the short URL of a stage is refused from now on: several APIs have a stage of that name; their URLs are "+
		"/_aws/execute-api/{apiId}/"+stage, "path", "/"+stage, "apiIds", apiIDs)
}

// domain gives what functions know an API by: where clients reach it, as far as
// the configuration says so.
func (s *Server) domain() func(apiID string) string {
	if !s.config.APIEndpoint.IsSet() {
		return nil
	}
	return s.config.APIEndpoint.Domain
}
