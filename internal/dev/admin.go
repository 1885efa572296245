package dev

import (
	"io"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// adminHandler answers health checks, the Lambda Invoke API, and those who watch events.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	healthy := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", healthy)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, devAdmin)
	})
	mux.Handle(apigw.FunctionsPath, gateway.Guarded(s.webGuard(), s.functions))
	mux.Handle("GET "+eventstream.Path, gateway.Guarded(s.webGuard(), eventstream.Handler(s.tail)))
	return mux
}

// devAdmin says what the port is to whoever opens it in a browser.
const devAdmin = `This is the admin port of "stagedoor dev".

  /healthz, /readyz          200 while it runs
  /2015-03-31/functions/...  Lambda's Invoke operation, for the functions of the
                             application, by AWS_ENDPOINT_URL_LAMBDA
  /stagedoor/events          events as they happen, for "stagedoor tail"

WebSocket clients, and @connections, have the other port.
`

// webGuard returns a guard that lets web pages of our own names through: those that
// the developer has given, and custom domains.
func (s *Server) webGuard() webguard.Guard {
	return webguard.Guard{Knows: func(host string) bool {
		return webguard.IsOneOf(host, s.config.Hosts, s.config.Listen, s.config.Admin) || s.gateway.HasDomain(host)
	}}
}
