package websocket

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// An engine is alive until one of its loops is held up, and again afterwards.
func TestAlive(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, Loops: 2})
		r := &recorder{}
		p, c := adopt(t, e, r, nil)
		alive := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			return e.Alive(ctx)
		}
		for range 3 {
			if err := alive(); err != nil {
				t.Fatal(err)
			}
		}
		if driver == DriverGoroutine {
			return
		}
		// A loop that waits for a connection's lock waits as well as one that hangs.
		c.mu.Lock() // so p.send, which checks the connection, can't be used
		if _, err := p.Write(text("held up")); err != nil {
			t.Fatal(err)
		}
		var err error
		for end := time.Now().Add(patience); err == nil && time.Now().Before(end); { // it has to see the message first
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			err = e.Alive(ctx)
			cancel()
		}
		c.mu.Unlock()
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "event loop") {
			t.Errorf("with a loop that is held up: %v", err)
		}
		if err := alive(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		r.awaitMessages(t, 1)
		p.Close()
		if err := e.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := alive(); err != nil {
			t.Errorf("after its end: %v", err)
		}
	})
}
