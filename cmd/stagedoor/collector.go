package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The live heap is usually small compared with the garbage of messages.
// Collecting less often than Go does by default costs a few megabytes and saves
// processor time. With a large live heap, as when clients don't read their
// messages, it would cost several times that heap: there garbage is bounded.
const (
	mostPercent  = 300
	leastPercent = 50
	garbage      = 128 << 20 // how many bytes of garbage may be there to save processor time
)

// tuneCollector sets how often garbage is collected, and again after each
// collection. It does nothing if GOGC is set.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	now := mostPercent
	debug.SetGCPercent(now)
	type sentinel struct{ _ [16]byte }
	var collected func(*sentinel)
	collected = func(s *sentinel) {
		if next := percentFor(liveHeap()); next < now*9/10 || next > now*10/9 {
			now = next
			debug.SetGCPercent(now)
		}
		runtime.SetFinalizer(s, collected)
	}
	runtime.SetFinalizer(new(sentinel), collected)
}

// percentFor returns how much garbage there may be, in percent of the live
// heap.
func percentFor(live uint64) int {
	return int(min(mostPercent, max(leastPercent, garbage*100/max(live, 1))))
}

// liveHeap returns the size of the live heap at the last collection, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
