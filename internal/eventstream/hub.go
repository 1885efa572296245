package eventstream

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// maxWatchers is how many watch at a time. Each costs the gateway time for each event.
const maxWatchers = 32

// Hub hands the events of a gateway to those who watch. It is the gateway's
// telemetry.Recorder, or one of them, and a Source. While nobody watches, an event costs
// it one atomic load.
type Hub struct {
	watchers atomic.Pointer[[]*watcher] // nil: nobody watches. Never changed in place
	stopped  chan struct{}

	mu       sync.Mutex // guards writing of watchers, and what follows
	stopping bool
}

// watcher is one who watches.
type watcher struct {
	query Query
	queue *Queue
}

// NewHub makes a hub that nobody watches.
func NewHub() *Hub { return &Hub{stopped: make(chan struct{})} }

// Record implements telemetry.Recorder.
func (h *Hub) Record(r *telemetry.Record) {
	if watchers := h.watchers.Load(); watchers != nil {
		tell(*watchers, r)
	}
}

// lines are buffers for events as they are told.
var lines = sync.Pool{New: func() any {
	line := make([]byte, 0, 512)
	return &line
}}

// maxPooledLine is the capacity, in bytes, beyond which a line is not pooled.
const maxPooledLine = 32 << 10

// tell adds an event to the queues of those who want it. It is written once for those
// with payloads, and once for those without.
func tell(watchers []*watcher, r *telemetry.Record) {
	var written [2]*[]byte
	for _, w := range watchers {
		if !w.query.Matches(r) || w.queue.isFull() {
			continue
		}
		kind := 0
		if w.query.Payload {
			kind = 1
		}
		if written[kind] == nil {
			line := lines.Get().(*[]byte)
			*line = appendEvent((*line)[:0], r, w.query.Payload)
			written[kind] = line
		}
		w.queue.Add(*written[kind])
	}
	for _, line := range written {
		if line != nil && cap(*line) <= maxPooledLine {
			lines.Put(line)
		}
	}
}

// Watch implements Source.
func (h *Hub) Watch(q Query, to *Queue) (stop func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var present []*watcher
	if watchers := h.watchers.Load(); watchers != nil {
		present = *watchers
	}
	switch {
	case h.stopping:
		return nil, ErrStopped
	case len(present) >= maxWatchers:
		return nil, ErrTooMany
	}
	w := &watcher{q, to}
	next := append(slices.Clone(present), w)
	h.watchers.Store(&next)
	return func() { h.leave(w) }, nil
}

func (h *Hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	watchers := h.watchers.Load()
	if watchers == nil {
		return // stop was called twice
	}
	next := slices.DeleteFunc(slices.Clone(*watchers), func(other *watcher) bool { return other == w })
	if len(next) == 0 {
		h.watchers.Store(nil)
		return
	}
	h.watchers.Store(&next)
}

// Stopped implements Source.
func (h *Hub) Stopped() <-chan struct{} { return h.stopped }

// Close ends the streams of all who watch, once they have what waits for them. Nobody
// watches afterwards. It may be called several times.
func (h *Hub) Close(context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopping {
		h.stopping = true
		close(h.stopped)
	}
}
