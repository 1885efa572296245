package server

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/metrics"
)

// adminHandler answers health checks from the beginning, and all else once the
// control plane is there.
type adminHandler struct {
	mux     *http.ServeMux
	metrics http.Handler                 // nil: the port has none
	control atomic.Pointer[http.Handler] // nil: the gateway is starting
}

// newAdminHandler makes a handler without a control plane. metrics answers metrics.Path;
// nil: there is nothing.
func newAdminHandler(h *health, metrics http.Handler) *adminHandler {
	a := &adminHandler{mux: http.NewServeMux(), metrics: metrics}
	a.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	a.mux.Handle("GET /readyz", h)
	a.mux.HandleFunc("GET /{$}", tellAdmin)
	return a
}

// setControl has a control plane answer what is neither a health check nor a
// question what the port is.
func (h *adminHandler) setControl(plane http.Handler) { h.control.Store(&plane) }

// tellAdmin says what the admin port is to whoever opens it in a browser.
func tellAdmin(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, `This is the admin port of a Stagedoor gateway, for those who operate it.

  /healthz       200 while the process is alive
  /readyz        200 when the gateway serves its APIs, else 503
  /metrics       what the gateway counts, for Prometheus
  /v2/apis ...   the control plane of Amazon API Gateway: give this port to the
                 AWS CLI as --endpoint-url, to AWS SDKs as endpoint, to
                 "stagedoor deploy" as --gateway
  /stagedoor/... backups, access keys and events as they happen, for "stagedoor
                 backup", "restore", "credentials" and "tail" with --gateway

Requests to the control plane are signed with an access key of this gateway.
WebSocket clients, and @connections, have the public port.
The manual's page about it is docs/self-host.md.
`)
}

// ServeHTTP implements http.Handler. The control plane gets paths as they came:
// a mux would clean them, and the ARN of a resource may be one of their parts.
func (h *adminHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	plane := h.control.Load()
	switch {
	case isHealthCheck(r), isRoot(r):
		h.mux.ServeHTTP(w, r)
	case h.metrics != nil && r.URL.Path == metrics.Path:
		h.metrics.ServeHTTP(w, r)
	case plane == nil:
		w.Header().Set("Retry-After", "1")
		(&apigw.Error{
			Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException",
			Message: "The gateway is starting; please try again later.",
		}).WriteTo(w)
	default:
		(*plane).ServeHTTP(w, r)
	}
}

// withoutTLS answers what comes by plain HTTP to an admin port that speaks TLS:
// health checks, whose senders have no certificates, and nothing else.
func (h *adminHandler) withoutTLS() http.Handler {
	refused := listener.TLSRequired()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isHealthCheck(r) {
			h.mux.ServeHTTP(w, r)
			return
		}
		refused.ServeHTTP(w, r)
	})
}

func isHealthCheck(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// isRoot reports whether a request is for nothing in particular. AWS has no operation there.
func isRoot(r *http.Request) bool {
	return r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}
