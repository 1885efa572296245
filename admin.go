package stagedoor

import (
	"io"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// adminHandler answers health checks and the Lambda Invoke API.
func (d *dev) adminHandler() http.Handler {
	mux := http.NewServeMux()
	healthy := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", healthy)
	mux.Handle("/2015-03-31/functions/", d.functions)
	return sameOrigin(mux)
}

// sameOrigin refuses what web pages of other sites make a visitor's browser send
// to a port that asks nobody for a signature: a page that a developer looks at
// must not call functions, or change APIs, on the developer's machine.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { apigw.ErrForbidden.WriteTo(w) }))
	return protection.Handler(next)
}
