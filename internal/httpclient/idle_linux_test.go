package httpclient

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// together is a backend that answers requests when so many have come. It can be used
// for so many once.
func together(t *testing.T, requests int) (url string) {
	t.Helper()
	var come sync.WaitGroup
	come.Add(requests)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		come.Done()
		come.Wait()
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Sockets that many calls at a time have left are closed soon, all but a few. These are
// kept for longer.
func TestSurplusConnections(t *testing.T) {
	t.Parallel()
	const calls = fewIdle + 40
	t.Run("calls that block", func(t *testing.T) {
		t.Parallel()
		client, url := newClient(t), together(t, calls)
		var running sync.WaitGroup
		for range calls {
			running.Go(func() {
				if _, _, err := roundTrip(t, client, url, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		before := time.Now()
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{sweepEvery, fewIdle}, {idleTimeout / 2, fewIdle}, {idleTimeout, 0}} {
			client.pool.sweep(before.Add(step.after))
			if n := idle(client); n != step.want {
				t.Errorf("%v later %d connections are kept, want %d", step.after, n, step.want)
			}
		}
	})
	t.Run("calls on a loop", func(t *testing.T) {
		t.Parallel()
		client, loop, url := newClient(t), newLoop(t), together(t, calls)
		var all []answers
		for range calls {
			all = append(all, start(t.Context(), client, loop, request(t, url, "x")))
		}
		for _, a := range all {
			a.next(t).want(t, "")
		}
		for _, step := range []struct{ sweeps, want int }{{2, fewIdle}, {maxSweeps / 2, fewIdle}, {maxSweeps, 0}} {
			quiet(t, loop, func() {
				b := client.loops.find(loop)
				b.sweeps += step.sweeps
				b.sweep()
			})
			if used, _ := sockets(client); used != step.want {
				t.Errorf("%d looks later %d sockets are kept, want %d", step.sweeps, used, step.want)
			}
		}
	})
}
