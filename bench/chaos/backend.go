//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/history"
)

// backendCommand makes this program a backend. It is followed by the address to
// listen on.
const backendCommand = "backend"

// event is the part of a function's event that is used here.
type event struct {
	Body           string
	Query          map[string]string `json:"queryStringParameters"`
	RequestContext struct{ EventType, ConnectionID string }
}

// runBackend answers requests with their own bodies, as an HTTP endpoint and as
// a function. Each answer takes a random time, up to a limit in milliseconds
// that PUT /slow sets.
func runBackend(address string) error {
	var slow atomic.Int64
	return newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the gateway is gone
		}
		if r.URL.Path == "/slow" {
			most, _ := strconv.ParseInt(string(body), 10, 64)
			slow.Store(most)
			return
		}
		if most := slow.Load(); most > 0 {
			time.Sleep(rand.N(time.Duration(most) * time.Millisecond))
		}
		if strings.HasSuffix(r.URL.Path, "/invocations") {
			var e event
			_ = json.Unmarshal(body, &e) // a request that is not an event has no body
			body = []byte(marshal(map[string]any{"statusCode": 200, "body": e.Body}))
		}
		_, _ = w.Write(body)
	}), address).ListenAndServe()
}

func newServer(handler http.Handler, address string) *http.Server {
	return &http.Server{
		Addr: address, Handler: handler, ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // clients leave without a goodbye
	}
}

// witness is the function behind $connect and $disconnect. It records both.
type witness struct {
	server *http.Server
	listen net.Listener
}

func newWitness(l *history.Log) *witness {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err) // no port is left on this machine
	}
	w := &witness{listen: listener}
	w.server = newServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var e event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			return // the gateway was killed within its request
		}
		switch id := e.RequestContext.ConnectionID; {
		case e.RequestContext.EventType == "DISCONNECT":
			l.Disconnected(id)
		case e.Query["key"] == "probe":
			l.Connected("probe "+id, id)
		default:
			l.Connected(e.Query["key"], id)
		}
		_, _ = io.WriteString(rw, `{"statusCode": 200}`)
	}), "")
	go func() {
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return w
}

func (w *witness) url() string { return "http://" + w.listen.Addr().String() }

func (w *witness) close() { _ = w.server.Close() }
