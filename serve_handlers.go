package stagedoor

import (
	"io"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// adminHandler answers health checks.
func (s *serving) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /readyz", &s.state)
	return mux
}

// publicHandler is the gateway. Unless the gateway is open, nobody may use
// @connections: there are no credentials that could be checked.
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
