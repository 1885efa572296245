//go:build linux

package main

import (
	"io"
	"log"
	"net/http"
	"time"
)

// bareCommand makes this program the server that pushes are compared with. It is
// followed by the address to listen on.
const bareCommand = "bare"

// runBare serves requests the least that net/http can: it reads them, and answers
// 200 with nothing.
func runBare(address string) error {
	server := &http.Server{
		Addr: address,
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body) // 200 in any case
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients leave without a goodbye
	}
	return server.ListenAndServe()
}
