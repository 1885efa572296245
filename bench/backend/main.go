// Command backend is the HTTP backend of the measurements: it answers each request
// with its body.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "`address` to listen on")
	wait := flag.Duration("wait", 0, "time that each answer takes")
	flag.Parse()
	server := &http.Server{
		Addr:              *listen,
		Handler:           echo(*wait),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients leave without a goodbye
	}
	fmt.Fprintln(os.Stderr, "backend:", server.ListenAndServe())
	os.Exit(1)
}

// echo answers requests with their bodies, after a while.
func echo(wait time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(wait)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body))) // without, large answers are chunked
		w.Write(body)
	}
}
