package stagedoor

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/control"
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
	return h
}

// ServeHTTP implements http.Handler. The control plane gets paths as they came:
// a mux would clean them, and the ARN of a resource may be one of their parts.
func (h *adminHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	plane := h.control.Load()
	switch {
	case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
		h.mux.ServeHTTP(w, r)
	case plane == nil:
		(&apigw.Error{
			Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException",
			Message: "The gateway is starting; please try again later.",
		}).WriteTo(w)
	default:
		(*plane).ServeHTTP(w, r)
	}
}

// controlPlane makes the control plane. Unless the gateway is open it refuses
// everybody: there are no credentials that could be checked.
func (s *serving) controlPlane() http.Handler {
	o := control.Options{
		Store: s.store.Configuration, Region: s.config.Region, AccountID: s.config.Account,
		Quotas: control.Quotas(s.config.Quotas), Await: s.rollout.Await,
	}
	if pattern := s.config.APIEndpoint; pattern != "" {
		o.Endpoint = func(apiID string) string { return strings.ReplaceAll(pattern, "{apiId}", apiID) }
	}
	if !s.options.Open {
		o.Authorize = func(*http.Request, string, string) error { return apigw.ErrMissingToken }
	}
	return control.New(o)
}

// publicHandler is the gateway. Unless it is open, nobody may use @connections.
func (s *serving) publicHandler() http.Handler {
	if s.options.Open {
		return s.gateway
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The path is decoded here, so that no way of writing it gets past.
		if strings.Contains(r.URL.Path, "@connections") {
			apigw.ErrMissingToken.WriteTo(w)
			return
		}
		s.gateway.ServeHTTP(w, r)
	})
}
