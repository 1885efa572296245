//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// listenVariable makes the test's program relay instead of testing, to the URL
// of backendVariable.
const (
	listenVariable  = "RELAY_TEST_LISTEN"
	backendVariable = "RELAY_TEST_BACKEND"
)

func TestMain(m *testing.M) {
	address := os.Getenv(listenVariable)
	if address == "" {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, relay(address, os.Getenv(backendVariable), 2))
	os.Exit(1)
}

// Every reply is the message, as the load client checks, for messages that fit in
// a frame's first two bytes and such that fill the socket, on one connection and
// on more than the loops have.
func TestRelay(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	}))
	t.Cleanup(backend.Close)
	for _, to := range []string{backend.URL + "/echo", ""} {
		address := start(t, to)
		for _, size := range []int{0, 100, 128, 70_000, 1 << 17} {
			for _, connections := range []int{1, 50} {
				result, err := load.Run(load.Options{
					Address: address, Protocol: load.NewWebSocket(address, "/", []byte(strings.Repeat("x", size))),
					Connections: connections, Duration: 100 * time.Millisecond, Loops: 2,
				})
				if err != nil || len(result.Errors) > 0 {
					t.Errorf("backend %q, %d bytes, %d connections: %v, %v", to, size, connections, err, result.Errors)
				}
			}
		}
	}
}

// start runs a relay to a backend, and returns its address.
func start(t *testing.T, backend string) string {
	t.Helper()
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(t.Context(), process.Spec{
		Name: "relay", Command: []string{os.Args[0]}, Address: address, LogDir: t.TempDir(),
		Env: []string{listenVariable + "=" + address, backendVariable + "=" + backend},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return address
}
