package server

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/usage"
)

const (
	// saveUsage is the time between two savings of what API keys used: what a
	// kill can lose.
	saveUsage = 2 * time.Second
	// lastSave is how long the saving at the end may take.
	lastSave = 5 * time.Second
)

// apiKeys are the API keys, with what they used, while that is kept.
type apiKeys struct {
	*usage.Keys
	cancel context.CancelFunc
	ended  chan struct{} // closed when all is saved
}

// startKeys reads what API keys used, and keeps it from now on. The rollout
// brings the keys.
func (s *Server) startKeys(ctx context.Context) error {
	ledger := usage.NewLedger(rollout.UsageRecords{Collection: s.store.Usage})
	if err := ledger.Load(ctx); err != nil {
		return err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.keys = &apiKeys{usage.NewKeys(new(usage.Buckets), ledger), cancel, make(chan struct{})}
	go func() {
		defer close(s.keys.ended)
		ledger.Run(running, saveUsage, lastSave, func(err error) { s.log.Warn("the usage of API keys was not saved", "error", err) })
	}()
	return nil
}

// stop saves what was used until now.
func (k *apiKeys) stop() {
	k.cancel()
	<-k.ended
}

// rates are those of the whole gateway.
func (s *Server) rates() usage.AccountRates {
	return usage.AccountRates{Requests: s.config.Limits.Requests, Connects: s.config.Limits.Connects}
}

// guards are what clients have to pass before any stage.
func (s *Server) guards() gateway.Guards {
	l := s.config.Limits
	return gateway.Guards{
		Identities: s.access.directory, Unsigned: s.options.Open, Visitors: s.webGuard(), Account: usage.NewAccount(s.rates()), Keys: s.keys.Keys,
		Caps: usage.OpenLimits{Total: l.Connections, API: l.ConnectionsPerAPI, Source: l.ConnectionsPerSource},
	}
}
