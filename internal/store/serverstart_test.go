package store

import (
	"context"
	"sync"
	"testing"
	"time"
)

// What takes too much memory, or too long, or is not wanted any more, is not
// waited for.
func TestBounds(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var running sync.WaitGroup
	running.Add(3)
	hangs := func() error { defer running.Done(); <-release; return nil }
	var kept [][]byte
	grows := func() error {
		defer running.Done()
		for {
			select {
			case <-release:
				return nil
			case <-time.After(time.Millisecond):
				kept = append(kept, make([]byte, 1<<20))
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, bounds{time.Hour, 8 << 20}.run(t.Context(), "growing", grows), errStart)
	wantErr(t, bounds{time.Millisecond, 1 << 50}.run(t.Context(), "hanging", hangs), errStart)
	wantErr(t, bounds{time.Hour, 1 << 50}.run(ended, "hanging", hangs), context.Canceled)
	close(release)
	running.Wait()
	wantErr(t, bounds{time.Hour, 1 << 50}.run(t.Context(), "ending", func() error { return ErrCorrupt }), ErrCorrupt)
}
