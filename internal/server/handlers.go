package server

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// adminHandler answers health checks from the beginning, and all else once the
// control plane is there.
type adminHandler struct {
	mux     *http.ServeMux
	control atomic.Pointer[http.Handler]
}

func newAdminHandler(state *health) *adminHandler {
	h := &adminHandler{mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	h.mux.Handle("GET /readyz", state)
	h.mux.HandleFunc("GET /{$}", tellAdmin)
	return h
}

// tellAdmin says what the admin port is to whoever opens it in a browser.
func tellAdmin(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, `This is the admin port of a Stagedoor gateway, for those who operate it.

  /healthz       200 while the process is alive
  /readyz        200 when the gateway serves its APIs, else 503
  /v2/apis ...   the control plane of Amazon API Gateway: give this port to the
                 AWS CLI as --endpoint-url, to AWS SDKs as endpoint, to
                 "stagedoor deploy" as --gateway
  /stagedoor/... backups and access keys, for "stagedoor backup", "restore" and
                 "credentials" with --gateway

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

// controlPlane makes the control plane, and beside it what AWS has no operations
// for: backups and access keys.
func (s *Server) controlPlane() http.Handler {
	plane := control.New(s.controlOptions())
	own := administration.NewHandler(administration.HandlerOptions{
		Local:  &administration.Local{Configuration: s.store.Configuration, Applied: s.access.apply},
		Region: s.config.Region, Account: s.config.Account, Gateway: s.describe(), Authorize: s.access.decide, Log: s.log,
	})
	both := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.access.spare(r)
		if isOwn(r) {
			own.ServeHTTP(w, r)
			return
		}
		plane.ServeHTTP(w, r)
	}))
	if s.options.Open {
		both = gateway.Guarded(s.webGuard(), both)
	}
	return s.access.audited(both)
}

// describe says where clients reach the gateway, whose public ports nobody serves
// yet.
func (s *Server) describe() administration.Gateway {
	told := administration.Gateway{APIEndpoint: s.config.APIEndpoint.String()}
	for _, port := range s.ports.public {
		told.Public = append(told.Public, withScheme("http://"+port.Addr().String(), s.config.TLS.Required))
	}
	return told
}

// webGuard knows the names that the operator has given.
func (s *Server) webGuard() webguard.Guard {
	return webguard.Guard{Knows: func(host string) bool {
		return webguard.IsOneOf(host, s.options.Hosts, append(slices.Clone(s.config.Listen), s.config.Admin.Listen)...) || s.gateway.HasDomain(host)
	}}
}

// isOwn tells requests that are none of AWS's control plane.
func isOwn(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, administration.Prefix) }

func (s *Server) controlOptions() control.Options {
	links := s.config.VPCLinks
	o := control.Options{
		Store: s.store.Configuration, Region: s.config.Region, AccountID: s.config.Account,
		Quotas: control.Quotas(s.config.Quotas), Await: s.rollout.Await,
		Log: s.log, Authorize: s.authorizeControl, Warn: warn,
		HasLink: func(id string) bool { return links[id] != "" },
	}
	if s.config.APIEndpoint.IsSet() {
		o.Endpoint = s.config.APIEndpoint.URL
	}
	return o
}

// authorizeControl decides about a request to the control plane: who may do it, and
// whether anybody may.
func (s *Server) authorizeControl(r *http.Request, action, resource string) *apigw.Error {
	if err := s.access.control(r, action, resource); err != nil {
		return err
	}
	return s.refuseManaged(r, resource)
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

// isRoot tells requests for nothing in particular. AWS has no operation there.
func isRoot(r *http.Request) bool {
	return r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}
