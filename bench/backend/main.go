// Command backend is the HTTP backend of the measurements: it answers each request
// with its body. Below /centrifugo, it does what Centrifugo asks of a backend: the
// body has the message in a member, and so has the answer.
package main

import (
	"bytes"
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
		if r.URL.Path == "/centrifugo" {
			body = result(body)
		}
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(len(body))) // without, large answers are chunked
		w.Write(body)
	}
}

// result is the answer to a call of Centrifugo's, whose data is its last member.
func result(call []byte) []byte {
	_, data, _ := bytes.Cut(call, []byte(`"data":`))
	return append(append([]byte(`{"result":{"data":`), bytes.TrimSuffix(data, []byte("}"))...), "}}"...)
}
