package lambda

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// announce writes a notice about what the host is doing if that takes long, and
// another when it is done. The caller must call finished at the end.
func (h *Host) announce(what string) (finished func()) {
	begun := time.Now()
	var mu sync.Mutex
	told, over := false, false // guarded by mu
	timer := time.AfterFunc(time.Second, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			told = true
			h.notice("", "", what+" …")
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		over = true
		if told {
			h.notice("", "", fmt.Sprintf("%s: done after %.1f s", what, time.Since(begun).Seconds()))
		}
	}
}

// AwaitPrepared waits until all preparations of functions have ended, with or
// without success, or until ctx ends.
func (h *Host) AwaitPrepared(ctx context.Context) {
	h.mu.Lock()
	pools := make([]*pool, 0, len(h.functions))
	for _, f := range h.functions {
		pools = append(pools, f.pool)
	}
	h.mu.Unlock()
	for _, p := range pools {
		p.mu.Lock()
		current := p.preparation
		p.mu.Unlock()
		if current == nil {
			continue
		}
		select {
		case <-current.done:
		case <-ctx.Done():
			return
		}
	}
}
