package metrics

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/stagedoor/stagedoor/internal/allocations"
)

// A duration falls into the buckets that client_golang puts it in.
func TestHistogramLikePrometheus(t *testing.T) {
	t.Parallel()
	classic := make([]float64, len(classicBounds))
	for i, bound := range classicBounds {
		classic[i] = bound.Seconds()
	}
	reference := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", Buckets: classic, NativeHistogramBucketFactor: 1.1})
	h := NewHistogram()
	for _, d := range []time.Duration{
		2 * time.Microsecond, time.Millisecond, time.Millisecond + 1, 3 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		999 * time.Millisecond, time.Second, 2 * time.Second, 7 * time.Second, 29 * time.Second, 90 * time.Second,
	} {
		h.Observe(d)
		reference.Observe(d.Seconds())
	}
	var got, want dto.Metric
	if err := h.metric(prometheus.NewDesc("x", "", nil, nil)).Write(&got); err != nil {
		t.Fatal(err)
	}
	if err := reference.Write(&want); err != nil {
		t.Fatal(err)
	}
	want.Histogram.CreatedTimestamp = nil
	if difference := math.Abs(got.Histogram.GetSampleSum() - want.Histogram.GetSampleSum()); difference > 1e-6 {
		t.Errorf("the sums are %v apart", difference)
	}
	got.Histogram.SampleSum, want.Histogram.SampleSum = nil, nil
	if got.String() != want.String() {
		t.Errorf("got\n%s\nwant\n%s", &got, &want)
	}
}

// What is shorter or longer than all buckets falls into the first and the last.
func TestHistogramEnds(t *testing.T) {
	t.Parallel()
	h := NewHistogram()
	for _, d := range []time.Duration{-time.Second, 0, 1, time.Hour, 1000 * time.Hour} {
		h.Observe(d)
	}
	c := h.read()
	if c.count != 5 || c.native[lowest] != 3 || c.native[highest] != 2 {
		t.Errorf("%+v", c)
	}
}

// A histogram can be read while it is written: no count is ahead of another.
func TestHistogramMeanwhile(t *testing.T) {
	t.Parallel()
	h := NewHistogram()
	desc := prometheus.NewDesc("x", "", nil, nil)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for n := range 10_000 {
				h.Observe(time.Duration(n) * time.Microsecond)
			}
		})
	}
	for range 100 {
		var m dto.Metric
		if err := h.metric(desc).Write(&m); err != nil {
			t.Fatal(err)
		}
		for _, bucket := range m.Histogram.Bucket {
			if bucket.GetCumulativeCount() > m.Histogram.GetSampleCount() {
				t.Fatalf("a bucket has more than all: %s", &m)
			}
		}
	}
	writers.Wait()
	if c := h.read(); c.count != 40_000 || c.classic[len(c.classic)-1] != 40_000 {
		t.Errorf("%d of 40000 observations", c.count)
	}
}

func TestObserveAllocations(t *testing.T) {
	h := NewHistogram()
	h.Observe(1)
	allocations.AtMost(t, 0, func() { h.Observe(3 * time.Millisecond) })
}

func BenchmarkObserve(b *testing.B) {
	h := NewHistogram()
	for b.Loop() {
		h.Observe(3 * time.Millisecond)
	}
}
