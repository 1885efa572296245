package overload

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Reclaim gives memory back to the system that was needed for a while only, such as
// for ten thousand handshakes at a time, until ctx ends. By itself, Go does that in
// the course of some minutes. It is for a process that does nothing else.
//
// While the process is busy nothing is done: the memory would be needed again. When it
// is calm, two or three seconds after a burst, and has allocated much since the last
// time, the heap is collected and what is free of it is given back. That takes a
// hundredth of the time of one processor at most.
func Reclaim(ctx context.Context) {
	r := newReclaimer()
	ticker := time.NewTicker(reclaimInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.look(time.Now())
		}
	}
}

const (
	reclaimInterval = time.Second
	// busyBytes is how much is allocated between two looks at least while the process
	// is busy.
	busyBytes = 1 << 20
	// calmLooks is how many looks in a row must find that it is not.
	calmLooks = 2
	// worthBytes is how much must have been allocated since memory was given back last:
	// this, and a sixteenth of all that is held.
	worthBytes = 1 << 20
	// reclaimShare bounds the time that is taken: what took one second is not done again
	// for that many.
	reclaimShare = 100
)

// reclaimer decides when memory is given back. It is used by one goroutine.
type reclaimer struct {
	memory func() (allocated, held uint64) // bytes allocated ever; bytes that the system has given to this process
	free   func()                          // gives back

	last  uint64    // what was allocated at the last look
	since uint64    // what was allocated when memory was given back last
	calm  int       // looks in a row that found the process not busy
	rest  time.Time // until then nothing is done
}

func newReclaimer() *reclaimer {
	samples := make([]metrics.Sample, len(reclaimMetrics))
	for i, name := range reclaimMetrics {
		samples[i].Name = name
	}
	free := func() {
		runtime.GC() // pools keep what they have over one collection
		debug.FreeOSMemory()
	}
	return &reclaimer{free: free, memory: func() (allocated, held uint64) {
		metrics.Read(samples)
		return samples[0].Value.Uint64(), samples[1].Value.Uint64() - samples[2].Value.Uint64()
	}}
}

var reclaimMetrics = []string{"/gc/heap/allocs:bytes", "/memory/classes/total:bytes", "/memory/classes/heap/released:bytes"}

// look gives memory back if it is time to.
func (r *reclaimer) look(now time.Time) {
	allocated, held := r.memory()
	if r.calm++; allocated-r.last > busyBytes {
		r.calm = 0
	}
	r.last = allocated
	if r.calm < calmLooks || allocated-r.since < worthBytes+held/16 || now.Before(r.rest) {
		return
	}
	began := time.Now()
	r.free()
	r.since = allocated
	r.rest = now.Add(reclaimShare * time.Since(began))
}
