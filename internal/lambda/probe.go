package lambda

import (
	"context"
	"os"
	"sync"
	"time"
)

// probed is what an interpreter said of itself.
type probed struct {
	once sync.Once
	said string
	err  error
}

// probe runs an interpreter with a question about itself, once in the host's
// life: interpreters don't change while the gateway runs.
func (h *Host) probe(ctx context.Context, path string, args ...string) (string, error) {
	key := digest(append([]string{path}, args...)...)
	value, _ := h.probes.LoadOrStore(key, new(probed))
	p := value.(*probed)
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
