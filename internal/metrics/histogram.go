package metrics

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Histogram counts durations, as a native histogram of Prometheus and in classic buckets
// beside. That of client_golang has no fixed bounds, and allocates for it when it
// observes; this one does not: it has buckets for 1 µs to 17 minutes.
type Histogram struct {
	nanoseconds atomic.Int64 // the sum
	classic     [len(classicBounds) + 1]atomic.Uint64
	native      atomic.Pointer[nativeBuckets] // nil: nothing was observed
}

// classicBounds are the upper bounds of the classic buckets.
var classicBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

const (
	// schema of the native buckets: each bound is the one before times 2^(1/8), 9 % more.
	schema   = 3
	perPower = 1 << schema
	// The buckets are those with indexes of Prometheus from lowest to highest: the upper
	// bound of bucket i is 2^(i/8) seconds.
	lowest, highest = -20 * perPower, 10 * perPower
)

type nativeBuckets [highest - lowest + 1]atomic.Uint64

// NewHistogram makes a histogram of nothing.
func NewHistogram() *Histogram { return new(Histogram) }

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	d = max(d, 0)
	native := h.native.Load()
	if native == nil {
		h.native.CompareAndSwap(nil, new(nativeBuckets))
		native = h.native.Load()
	}
	native[nativeIndex(max(d, 1))-lowest].Add(1) // before the classic ones: see read
	i := 0
	for i < len(classicBounds) && d > classicBounds[i] {
		i++
	}
	h.classic[i].Add(1)
	h.nanoseconds.Add(int64(d))
}

// mantissas are the bounds of the native buckets between a half and one.
var mantissas = func() (bounds [perPower]float64) {
	for i := range bounds {
		bounds[i] = math.Exp2(float64(i)/perPower - 1)
	}
	return bounds
}()

// nativeIndex is the index of a duration's native bucket.
func nativeIndex(d time.Duration) int {
	fraction, exponent := math.Frexp(d.Seconds())
	i, _ := slices.BinarySearch(mantissas[:], fraction)
	return min(max(i+(exponent-1)*perPower, lowest), highest)
}

// bucketBound is the upper bound of a native bucket.
func bucketBound(index int) time.Duration {
	return time.Duration(math.Exp2(float64(index)/perPower) * float64(time.Second))
}

// counts are what a histogram has counted.
type counts struct {
	count   uint64
	sum     time.Duration
	classic [len(classicBounds)]uint64 // cumulative
	native  map[int]int64              // by index
}

// read returns what was counted until now. Of what is counted meanwhile, no classic
// bucket has more than the native ones.
func (h *Histogram) read() counts {
	c := counts{sum: time.Duration(h.nanoseconds.Load()), native: map[int]int64{}}
	total := uint64(0)
	for i := range c.classic {
		total += h.classic[i].Load()
		c.classic[i] = total
	}
	if native := h.native.Load(); native != nil {
		for i := range native {
			if n := native[i].Load(); n > 0 {
				c.native[i+lowest] = int64(n)
				c.count += n
			}
		}
	}
	return c
}

// minus returns what was counted since earlier counts of the same histogram.
func (c counts) minus(earlier counts) counts {
	d := counts{count: c.count - earlier.count, sum: c.sum - earlier.sum, native: map[int]int64{}}
	for i, n := range c.native {
		if n -= earlier.native[i]; n > 0 {
			d.native[i] = n
		}
	}
	return d
}

// metric returns the histogram as a registry collects it.
func (h *Histogram) metric(desc *prometheus.Desc, labels ...string) prometheus.Metric {
	c := h.read()
	native, err := prometheus.NewConstNativeHistogram(desc, c.count, c.sum.Seconds(), c.native, nil, 0, schema,
		prometheus.DefNativeHistogramZeroThreshold, time.Time{}, labels...)
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return collected{native, c.classic[:]}
}

// collected is a native histogram with its classic buckets.
type collected struct {
	prometheus.Metric
	classic []uint64
}

// Write implements prometheus.Metric.
func (c collected) Write(out *dto.Metric) error {
	if err := c.Metric.Write(out); err != nil {
		return err
	}
	h := out.GetHistogram()
	h.CreatedTimestamp, h.Bucket = nil, nil
	for i, n := range c.classic {
		bound := classicBounds[i].Seconds()
		h.Bucket = append(h.Bucket, &dto.Bucket{CumulativeCount: &n, UpperBound: &bound})
	}
	return nil
}
