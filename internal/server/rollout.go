package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/metrics"
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
}

// newCompiler makes what stages are compiled with. Their lines go to logs, and m counts
// their events; nil: nothing does.
func newCompiler(c *config.Config, b *backends.Backends, logs logsink.Destinations, m *metrics.Metrics) *plan.Compiler {
	compiler := &plan.Compiler{
		Backends: b.Integrations, Authorizers: b.Authorizers, Region: c.Region, Rates: accountRates(c), Domain: domain(c),
		AccessLogs: logs.Access, ExecutionLogs: logs.Execution, Metrics: m,
	}
	compiler.SetLimits(c.Limits.Each)
	return compiler
}

// openRollout puts the stored configuration into effect, and its changes from then
// on. It returns when what is stored is served; for a store that does not answer
// it waits. Compiler and Report are not among the options.
func openRollout(ctx context.Context, compiler *plan.Compiler, o rollout.Options, log *slog.Logger) (*follower, error) {
	o.Compiler = compiler
	o.Report = func(p rollout.Finding) {
		log.Warn("cannot work as configured", "apiId", p.APIID, "stage", p.Stage, "where", p.Where, "problem", p.Message)
	}
	f := &follower{Rollout: rollout.New(o), compiler: compiler, log: log}
	f.task = lifetime.Start(ctx, func(ctx context.Context) { f.err = f.Run(ctx) })
	late := time.NewTicker(lateInterval)
	defer late.Stop()
	for {
		select {
		case <-f.Ready():
			return f, nil
		case <-f.task.Ended():
			return nil, f.err
		case <-ctx.Done():
			f.task.Stop()
			return nil, ctx.Err()
		case <-late.C:
			log.Warn("the configuration is not read yet; the gateway starts when it is")
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
	if f.err != nil {
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
