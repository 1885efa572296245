package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A watch is alive while nothing happens and while its servers are gone. It is
// not while the one that it told of a change does not come back.
func TestWatchAlive(t *testing.T) {
	t.Parallel()
	s := startServer(t, &server.Options{StoreDir: t.TempDir()})
	n := open(t, Options{URL: s.ClientURL()})
	hold, told := make(chan struct{}), make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- n.Watch(ctx, []string{"api"}, func(Change) { told <- struct{}{}; <-hold }, func() {})
	}()
	mustPut(t, n, "api.a", "1", 0)
	<-told
	eventually(t, func() error {
		if n.Alive() == nil {
			return errors.New("a watch that is held up counts as alive")
		}
		return nil
	})
	wantErrText(t, n.Alive(), "the watch of api hangs for")
	close(hold)
	eventually(t, n.Alive)
	stopServer(s)
	due := n.firstDue()
	eventually(t, func() error { // through turns without servers
		if err := n.Alive(); err != nil {
			t.Fatal(err)
		}
		if n.firstDue().Sub(due) < turnTime {
			return errors.New("the watch had no turn yet")
		}
		return nil
	})
	cancel()
	wantErr(t, <-ended, context.Canceled)
	wantErr(t, n.Alive(), nil)
}

// firstDue is when the watch that shows it first shows that it is alive.
func (n *NATS) firstDue() (first time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watching {
		if due := w.dueAt(); first.IsZero() || due.Before(first) {
			first = due
		}
	}
	return first
}

// A machine whose clock is set changes nothing in when a watch is due.
func TestTurnIsMonotonic(t *testing.T) {
	t.Parallel()
	turn := &turn{}
	for range 2 {
		if due := turn.dueAt(); !strings.Contains(due.String(), " m=") {
			t.Errorf("a turn is due at %v, which is of the wall clock alone", due)
		}
		turn.takes(time.Second)
	}
}
