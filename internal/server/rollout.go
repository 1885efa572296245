package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// follower keeps what the gateway serves in step with the store.
type follower struct {
	*rollout.Rollout
	compiler *plan.Compiler
	log      *slog.Logger
	task     *lifetime.Task
	err      error // why the rollout ended; set before task has ended
	complete bool  // what was stored at the start is served
}

// startRollout puts the stored configuration into effect, and its changes from
// then on.
func (s *Server) startRollout(ctx context.Context) *follower {
	f := &follower{log: s.log, compiler: &plan.Compiler{
		Backends: s.backends.Integrations, Authorizers: s.backends.Authorizers, Region: s.config.Region, Rates: accountRates(s.config),
		Domain: domain(s.config),
	}}
	f.compiler.SetLimits(s.config.Limits.Each)
	f.Rollout = rollout.New(rollout.Options{
		Configuration: s.store.Configuration,
		Compiler:      f.compiler,
		Gateway:       s.gateway,
		Keys:          s.keys,
		Links:         s.backends.Links,
		Damaged:       s.store.kept.Damage().Keys(),
		Report: func(p rollout.Finding) {
			s.log.Warn("cannot work as configured", "apiId", p.APIID, "stage", p.Stage, "where", p.Where, "problem", p.Message)
		},
	})
	f.task = lifetime.Start(ctx, func(ctx context.Context) { f.err = f.Run(ctx) })
	return f
}

// await returns when what is stored is served. It waits for a store that does not
// answer.
func (f *follower) await(ctx context.Context) error {
	late := time.NewTicker(lateInterval)
	defer late.Stop()
	for {
		select {
		case <-f.Ready():
			f.complete = true
			return nil
		case <-f.task.Ended():
			return f.err
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			f.log.Warn("the configuration is not read yet; the gateway starts when it is")
		}
	}
}

// lateInterval is how often a gateway says that it waits for the configuration.
const lateInterval = 30 * time.Second

// setLimits has other limits apply to connections that open from now on.
func (f *follower) setLimits(l usage.ConnectionLimits) {
	f.compiler.SetLimits(l)
	f.Recompile()
}

// close ends the following, and says why if it had ended before.
func (f *follower) close(context.Context) {
	f.task.Stop()
	if f.err != nil && f.complete {
		f.log.Error("changes of the configuration were not followed to the end", "error", f.err)
	}
}

// shortURLEnds says that /{stage} is refused from now on.
func (s *Server) shortURLEnds(stage string, apiIDs []string) {
	s.log.Warn("the short URL of a stage is refused from now on: several APIs have a stage of that name; their URLs are "+
		"/_aws/execute-api/{apiId}/"+stage, "path", "/"+stage, "apiIds", apiIDs)
}

// domain returns what functions know an API by: where clients reach it. It is nil
// where the configuration does not say so.
func domain(c *config.Config) func(apiID string) string {
	if !c.APIEndpoint.IsSet() {
		return nil
	}
	return c.APIEndpoint.Domain
}
