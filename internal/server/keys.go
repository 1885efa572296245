package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

const (
	// saveUsage is the time between two savings of what API keys used: what a
	// kill can lose.
	saveUsage = 2 * time.Second
	// lastSave is how long the saving at the end may take.
	lastSave = 5 * time.Second
)

// apiKeys are the API keys, with what they used, which is kept in the store. The
// rollout brings the keys.
type apiKeys struct {
	*usage.Keys
	saving *lifetime.Task
}

// openKeys reads what API keys used, and keeps it from now on.
func openKeys(ctx context.Context, used *store.Collection[apigw.Usage], log *slog.Logger) (*apiKeys, error) {
	ledger := usage.NewLedger(rollout.UsageRecords{Collection: used})
	if err := ledger.Load(ctx); err != nil {
		return nil, err
	}
	saving := lifetime.Start(ctx, func(ctx context.Context) {
		ledger.Run(ctx, saveUsage, lastSave, func(err error) { log.Warn("the usage of API keys was not saved", "error", err) })
	})
	return &apiKeys{usage.NewKeys(new(usage.Buckets), ledger), saving}, nil
}

// close saves what was used until now.
func (k *apiKeys) close(context.Context) { k.saving.Stop() }

// accountRates are those of the whole gateway.
func accountRates(c *config.Config) usage.AccountRates {
	return usage.AccountRates{Requests: c.Limits.Requests, Connects: c.Limits.Connects}
}

// guards are what clients have to pass before any stage.
func (s *Server) guards() gateway.Guards {
	l := s.config.Limits
	return gateway.Guards{
		Identities: s.access.directory, Unsigned: s.options.Open, Visitors: s.webGuard(), Account: usage.NewAccount(accountRates(s.config)), Keys: s.keys.Keys,
		Caps: usage.OpenLimits{Total: l.Connections, API: l.ConnectionsPerAPI, Source: l.ConnectionsPerSource},
	}
}
