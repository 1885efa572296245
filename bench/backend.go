//go:build linux

package main

import (
	"io"
	"log"
	"net/http"
	"time"
)

// backendCommand makes this program the backend. It is followed by the
// address to listen on.
const backendCommand = "backend"

// runBackend serves HTTP requests with their own bodies.
func runBackend(address string) error {
	server := &http.Server{
		Addr: address,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Write(body)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients leave without a goodbye
	}
	return server.ListenAndServe()
}
