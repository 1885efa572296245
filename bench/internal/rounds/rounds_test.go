//go:build linux

package rounds

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// two systems in three rounds, in the second of which the machine did something else.
var two = []Result{
	{System: "relay", Connections: 10, Load: "2.00", Rounds: []Round{
		{Rate: 1000, P50: 2000, P99: 5000, Server: 10000, Client: 3000}, {Rate: 100, P50: 9000, P99: 9000, Server: 40000, Client: 3000},
		{Rate: 2000, P50: 1000, P99: 4000, Server: 10000, Client: 3000},
	}},
	{System: "gateway", Connections: 10, Load: "2.10", Rounds: []Round{
		{Rate: 800, P50: 2500, P99: 6000, Server: 14000, Client: 3000}, {Rate: 85, P50: 9000, P99: 9000, Server: 60000, Client: 3000},
		{Rate: 1800, P50: 1500, P99: 5000, Server: 13000, Client: 3000},
	}},
}

func TestTable(t *testing.T) {
	t.Parallel()
	want := `
| Connections | System  | Messages/s | Of relay | Of direct |     p50 |     p99 | CPU/message | Of relay's | Client's CPU | Load |
| ----------: | ------- | ---------: | -------: | --------: | ------: | ------: | ----------: | ---------: | -----------: | ---: |
|          10 | relay   |      1,000 |     1.00 |         – | 2.00 µs | 5.00 µs |     10.0 µs |       1.00 |      3.00 µs | 2.00 |
|          10 | gateway |        800 |     0.85 |         – | 2.50 µs | 6.00 µs |     14.0 µs |       1.40 |      3.00 µs | 2.10 |
`
	if got := Messages.Table(two, "relay", "direct"); got != strings.TrimPrefix(want, "\n") {
		t.Errorf("got\n%s", got)
	}
	if got := Handshakes.Table(two, "relay", ""); !strings.HasPrefix(got, "| At a time | System  | Handshakes/s |") || !strings.Contains(got, "| CPU/handshake |") {
		t.Errorf("handshakes:\n%s", got)
	}
	if got := Messages.Table(two, "relay", ""); strings.Contains(got, "direct") || strings.Count(got, "\n") != 4 {
		t.Errorf("without direct:\n%s", got)
	}
}

// Rounds in which the processor time is not known do not count for it, and it is not
// printed where there is no other.
func TestUnknownProcessorTime(t *testing.T) {
	t.Parallel()
	r := []Result{
		{System: "relay", Rounds: []Round{{Rate: 10, Server: 10000}, {Rate: 10, Server: 20000}}},
		{System: "gateway", Rounds: []Round{{Rate: 10, Server: -5000}, {Rate: 10, Server: 30000}}},
	}
	if got := Messages.Table(r, "relay", ""); !strings.Contains(got, "30.0 µs |       1.50 |") {
		t.Errorf("one of two rounds:\n%s", got)
	}
	r[1].Rounds = r[1].Rounds[:1]
	if got := Messages.Table(r, "relay", ""); !strings.Contains(got, "|           – |          – |") || strings.Contains(got, "-5") {
		t.Errorf("none:\n%s", got)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(test.values); got != test.want {
			t.Errorf("of %v: %v, want %v", test.values, got, test.want)
		}
	}
}

// A round is measured of every system, the first does not count, and a wrong answer
// makes all of it count for nothing.
func TestTake(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			io.WriteString(w, "something else")
			return
		}
		io.Copy(w, r.Body)
	}))
	t.Cleanup(server.Close)
	address := server.Listener.Addr().String()
	system := System{
		Name: "direct", Process: &process.Process{Address: address, PID: os.Getpid()},
		Protocol: load.NewHTTP(address, "/", []byte("message")),
	}
	results, err := Take(t.Context(), Options{Rounds: 2, Duration: 50 * time.Millisecond}, []System{system}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; len(results) != 1 || len(r.Rounds) != 2 || len(r.Errors) != 3 || r.Connections != 1 {
		t.Errorf("%+v", results)
	}
	if _, err := Failed(results); err == nil || !strings.Contains(err.Error(), "something else") {
		t.Errorf("%v", err)
	}
	results[0].Optional = true
	if told, err := Failed(results); err != nil || !strings.HasPrefix(told, "direct, 1 connections: 3 of them failed: ") {
		t.Errorf("%q, %v", told, err)
	}
	if got := Messages.Table(results, "direct", ""); !strings.Contains(got, "| direct |          – |") {
		t.Errorf("what failed has figures:\n%s", got)
	}
	system.Optional, system.Process.Address = true, "127.0.0.1:1" // nothing listens there
	if results, err = Take(t.Context(), Options{Rounds: 1}, []System{system}, 1); err != nil || len(results[0].Errors) != 2 {
		t.Errorf("%+v, %v", results, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Take(stopped, Options{Rounds: 1}, []System{system}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
