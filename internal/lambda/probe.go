package lambda

import (
	"context"
	"os"
	"sync"
	"time"
)

// probeResult is an interpreter's answer to a probe.
type probeResult struct {
	once sync.Once
	said string
	err  error
}

// probe runs an interpreter with arguments that make it describe itself, and
// returns its output. It does so once in the host's life: interpreters don't
// change while the gateway runs.
func (h *Host) probe(ctx context.Context, path string, args ...string) (string, error) {
	key := digest(append([]string{path}, args...)...)
	value, _ := h.probes.LoadOrStore(key, new(probeResult))
	p := value.(*probeResult)
	p.once.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		p.said, p.err = h.runTool(ctx, os.TempDir(), os.Environ(), path, args...)
	})
	if p.err != nil {
		h.probes.Delete(key)
	}
	return p.said, p.err
}
