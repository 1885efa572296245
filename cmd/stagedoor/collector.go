package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What lives in the heap is small beside what messages leave behind: collecting
// garbage less often than Go does costs a few megabytes and saves processor
// time. Where much lives, as with clients that don't read what waits for them,
// it would cost several times as much again: there garbage is bounded.
const (
	mostPercent  = 300
	leastPercent = 50
	garbage      = 128 << 20 // bytes of it that are let be for less processor time
)

// tuneCollector sets how often garbage is collected, after each collection
// anew. GOGC, where it is set, wins.
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

// percentFor is how much garbage there may be, in percent of what lives.
func percentFor(live uint64) int {
	return int(min(mostPercent, max(leastPercent, garbage*100/max(live, 1))))
}

// liveHeap is what the last collection found in use, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
