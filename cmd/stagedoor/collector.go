package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What lives is usually small compared with the garbage of messages. Collecting
// less often than Go does by default costs a few megabytes and saves processor
// time. Where much lives, as when clients don't read their messages, or thousands
// of messages wait for a backend, it would cost several times that: there garbage
// is bounded.
const (
	mostPercent  = 300
	leastPercent = 50
	garbage      = 48 << 20 // how many bytes of garbage may be there to save processor time
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
		if next := percentFor(live()); next < now*9/10 || next > now*10/9 {
			now = next
			debug.SetGCPercent(now)
		}
		runtime.SetFinalizer(s, collected)
	}
	runtime.SetFinalizer(new(sentinel), collected)
}

// percentFor returns how much garbage there may be, in percent of what lives.
func percentFor(live uint64) int {
	return int(min(mostPercent, max(leastPercent, garbage*100/max(live, 1))))
}

// live returns the size of what the last collection went through, in bytes: the live
// heap, and stacks. Garbage is allowed in proportion to both.
func live() (bytes uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	metrics.Read(samples)
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			bytes += s.Value.Uint64()
		}
	}
	return bytes
}
