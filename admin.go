package stagedoor

import (
	"io"
	"net/http"
)

// adminHandler answers health checks and the Lambda Invoke API.
func (d *dev) adminHandler() http.Handler {
	mux := http.NewServeMux()
	healthy := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") }
	mux.HandleFunc("GET /healthz", healthy)
	mux.HandleFunc("GET /readyz", healthy)
	mux.Handle("/2015-03-31/functions/", d.functions)
	return mux
}
