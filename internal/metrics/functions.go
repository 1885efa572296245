package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Function has the numbers of a function that runs as processes.
type Function struct {
	coldStarts atomic.Uint64
	queue      *Histogram
}

// ColdStart counts a process that has started.
func (f *Function) ColdStart() { f.coldStarts.Add(1) }

// Queued counts a call that waited so long for a process.
func (f *Function) Queued(waited time.Duration) { f.queue.Observe(waited) }

// functions are those of the gateway's own configuration, by name.
type functions struct {
	mu     sync.Mutex
	byName map[string]*Function // guarded by mu
}

// Function returns the numbers of a function, which stay.
func (m *Metrics) Function(name string) *Function {
	m.functions.mu.Lock()
	defer m.functions.mu.Unlock()
	f := m.functions.byName[name]
	if f == nil {
		if m.functions.byName == nil {
			m.functions.byName = make(map[string]*Function)
		}
		f = &Function{queue: NewHistogram()}
		m.functions.byName[name] = f
	}
	return f
}

var (
	coldStartsDesc = describe("function_cold_starts_total", "Processes of a function that were started.", "function")
	queueDesc      = describe("function_queue_seconds", "Time that calls of a function waited for a process.", "function")
)

func (f *functions) collect(to chan<- prometheus.Metric) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, function := range f.byName {
		to <- prometheus.MustNewConstMetric(coldStartsDesc, prometheus.CounterValue, float64(function.coldStarts.Load()), name)
		to <- function.queue.metric(queueDesc, name)
	}
}
