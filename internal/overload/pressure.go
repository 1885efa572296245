package overload

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/stagedoor/stagedoor/internal/descriptors"
)

// Share is the pressure on something that is counted: how much of the limit is
// used. Without a limit, where that is 0 or less, there is no pressure.
func Share(name string, read func() (used, limit int)) Pressure {
	return Pressure{name, func() float64 {
		used, limit := read()
		if limit <= 0 {
			return 0
		}
		return float64(used) / float64(limit)
	}}
}

// Descriptors is the pressure on file descriptors, without those that package
// descriptors keeps.
func Descriptors() Pressure {
	return Share("descriptors", func() (int, int) {
		limit := descriptors.Limit()
		return descriptors.Used(), limit - descriptors.Reserve(limit)
	})
}

// Lag is the pressure on time: how long ask takes, measured against the time after
// which whoever answers it counts as standing still. Its context ends then.
func Lag(ask func(context.Context) error, still time.Duration) Pressure {
	return Pressure{"lag", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), still)
		defer cancel()
		began := time.Now()
		_ = ask(ctx) // the time counts, also where it failed
		return float64(time.Since(began)) / float64(still)
	}}
}

// Memory is the pressure on memory: what is in use, without garbage that the next
// collection frees, measured against the memory limit of the Go runtime
// (GOMEMLIMIT, LimitMemory) or, where there is none, of the process's control
// group. Without either there is no pressure.
func Memory() Pressure {
	samples := make([]metrics.Sample, len(inUse))
	for i, name := range inUse {
		samples[i].Name = name
	}
	return Pressure{"memory", func() float64 {
		limit := memoryLimit()
		if limit == 0 {
			return 0
		}
		metrics.Read(samples)
		used := uint64(0)
		for _, s := range samples {
			if s.Value.Kind() == metrics.KindUint64 {
				used += s.Value.Uint64()
			}
		}
		return float64(used) / float64(limit)
	}}
}

// inUse are the metrics whose sum is the memory in use that is not garbage.
var inUse = []string{
	"/gc/heap/live:bytes",
	"/memory/classes/heap/stacks:bytes",
	"/memory/classes/metadata/mcache/inuse:bytes",
	"/memory/classes/metadata/mspan/inuse:bytes",
	"/memory/classes/metadata/other:bytes",
	"/memory/classes/os-stacks:bytes",
	"/memory/classes/other:bytes",
}

// memoryLimit returns the limit for Memory in bytes; 0 where there is none.
func memoryLimit() uint64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return uint64(max(limit, 1))
	}
	return groupLimit()
}
