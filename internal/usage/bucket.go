package usage

import (
	"math"
	"sync/atomic"
	"time"
)

// Bucket is a token bucket in eight bytes: a connection can have one. It holds
// no limit; the limit comes with every Take, so that a new one applies at once
// and what was used stays used. The zero value is a full bucket. Its methods
// are safe for concurrent use.
//
// The one number is the theoretical arrival time of the generic cell rate
// algorithm: when the bucket will be full again, in nanoseconds since began. A
// limiter of golang.org/x/time/rate takes ten times the room, twice the time,
// and a lock.
type Bucket struct{ full atomic.Int64 }

// Limit is a rate with a burst. The zero value is no limit.
type Limit struct {
	interval int64 // nanoseconds that one token takes to come back; 0: no limit
	depth    int64 // nanoseconds that an empty bucket takes to be full
}

const (
	// maxInterval and maxDepth keep times in the range of their type.
	maxInterval = int64(365 * 24 * time.Hour)
	maxDepth    = 100 * maxInterval

	// clockStep is how far ahead of what is possible a bucket may be before the
	// clock is taken to have been put back. Events ask with the time at which
	// they came, and pass each other.
	clockStep = int64(time.Second)
)

// NewLimit is a limit of rate events per second in the long run and of burst
// events at once. A limit below one event at once, or of no rate, lets nothing
// through.
func NewLimit(rate float64, burst int) Limit {
	if !(rate > 0) || burst < 1 {
		return Limit{interval: maxInterval}
	}
	interval := int64(max(1, min(math.Round(float64(time.Second)/rate), float64(maxInterval))))
	if int64(burst) > maxDepth/interval {
		return Limit{interval, maxDepth}
	}
	return Limit{interval, int64(burst) * interval}
}

// IsZero says that there is no limit.
func (l Limit) IsZero() bool { return l.interval == 0 }

// Rate returns the limit as settings have it, to a millionth.
func (l Limit) Rate() Rate {
	if l.interval == 0 {
		return Rate{}
	}
	perSecond := float64(time.Second) / float64(l.interval)
	return Rate{PerSecond: math.Round(perSecond*1e6) / 1e6, Burst: int(l.depth / l.interval)}
}

// began is where time begins for buckets: before this process did by as much as a
// bucket takes to be full, so that one that was never used is full.
var began = time.Now().Add(-time.Duration(maxDepth))

// Take takes a token, or says that there is none. A time with a monotonic reading,
// such as one of time.Now, is measured by that: no clock that is set fills or
// empties the bucket. Of any other, one that is put back empties it at most.
func (b *Bucket) Take(l Limit, now time.Time) bool {
	if l.interval == 0 {
		return true
	}
	at := int64(now.Sub(began))
	for {
		full := b.full.Load()
		next := max(full, at)
		if ahead := next - at - l.depth; ahead > clockStep {
			// The clock was put back, or the limit was a wider one.
			next = at + l.depth
			if b.full.CompareAndSwap(full, next) {
				return false
			}
			continue
		}
		next += l.interval
		if next-at > l.depth {
			return false
		}
		if b.full.CompareAndSwap(full, next) {
			return true
		}
	}
}
