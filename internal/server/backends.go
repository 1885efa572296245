package server

import (
	"crypto/x509"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// newBackends makes what integrations and authorizers call: AWS services and
// functions, at AWS or at the endpoints of the configuration, the functions of its
// apis, and HTTP backends that authorities vouch for. The functions that are Go
// code go first. How backends are called is counted.
func newBackends(c *config.Config, authorities *x509.CertPool, m *metricsPart, first, local lambda.Invoker) *backends.Backends {
	bounds := turnstile.Bounds{Calls: c.Backends.Connections, Waiting: c.Backends.Waiting, Waited: m.BackendWait.Observe}
	if bounds.Waiting == 0 {
		bounds.Waiting = -1
	}
	if limit := descriptors.Limit(); limit > 0 { // one backend's sockets leave those of others and of clients
		bounds.Calls = min(bounds.Calls, max(1, limit/4))
	}
	b := backends.New(backends.Options{
		Region: c.Region, AccountID: c.Account, Services: awsservice.Options{Endpoints: c.Endpoints}, Authorities: authorities,
		Links: c.VPCLinks, First: first, Local: local, Bounds: bounds, Sockets: &m.sockets,
	})
	b.Functions.SetEndpoints(c.Functions)
	return b
}
