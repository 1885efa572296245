package stagedoor

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// adminHandler answers health checks and the Lambda Invoke API.
func (d *dev) adminHandler() http.Handler {
	mux := http.NewServeMux()
	healthy := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", healthy)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, devAdmin)
	})
	mux.Handle("/2015-03-31/functions/", guarded(d.webGuard(), d.functions))
	return mux
}

// devAdmin says what the port is to whoever opens it in a browser.
const devAdmin = `This is the admin port of "stagedoor dev".

  /healthz, /readyz          200 while it runs
  /2015-03-31/functions/...  Lambda's Invoke operation, for the functions of the
                             application, by AWS_ENDPOINT_URL_LAMBDA

WebSocket clients, and @connections, have the other port.
`

// guarded refuses what web pages of other sites have a visitor's browser send to
// a port that asks nobody for a signature: a page that a developer looks at must
// not call functions, or change APIs, on the developer's machine.
func guarded(guard webguard.Guard, next http.Handler) http.Handler {
	return guard.Handler(next, func(w http.ResponseWriter, r *webguard.Refusal) { gateway.RefuseVisitor(r).WriteTo(w) })
}

// webGuard knows the names that the developer has given.
func (d *dev) webGuard() webguard.Guard {
	return webguard.Guard{Knows: func(host string) bool {
		return isOneOf(host, d.config.Hosts, d.config.Listen, d.config.Admin) || d.gateway.HasDomain(host)
	}}
}

// isOneOf reports whether a host is a given name, or that of an address which is
// listened on.
func isOneOf(host string, names []string, addresses ...string) bool {
	for _, address := range addresses {
		if name, _, err := net.SplitHostPort(address); err == nil && strings.EqualFold(name, host) {
			return true
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, host) })
}
