package usage

import (
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// At ten times the allowed rate, ten seconds let in what the rate and the burst
// allow, within 5%: section J.
func TestBucketHolds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		rate  float64
		burst int
	}{
		{"one", 1, 1},
		{"fraction", 2.5, 2},
		{"route", 100, 20},
		{"new connections", 500, 500},
		{"account", 10_000, 5_000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const seconds = 10
				var bucket Bucket
				limit := NewLimit(test.rate, test.burst)
				pause := time.Duration(float64(time.Second) / test.rate / 10)
				admitted := 0
				for end := time.Now().Add(seconds * time.Second); !time.Now().After(end); time.Sleep(pause) {
					if bucket.Take(limit, time.Now()) {
						admitted++
					}
				}
				want := test.rate*seconds + float64(test.burst)
				if off := math.Abs(float64(admitted)-want) / want; off > 0.05 {
					t.Errorf("admitted %d, want %.0f: off by %.1f%%", admitted, want, 100*off)
				}
			})
		})
	}
}

// Many goroutines at one bucket get no more than one would.
func TestBucketIsShared(t *testing.T) {
	t.Parallel()
	var bucket Bucket
	limit := NewLimit(1, 1000)
	now := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	admitted := 0
	for range 8 {
		all.Go(func() {
			mine := 0
			for range 1000 {
				if bucket.Take(limit, now) {
					mine++
				}
			}
			mu.Lock()
			admitted += mine
			mu.Unlock()
		})
	}
	all.Wait()
	if admitted != 1000 {
		t.Errorf("admitted %d, want 1000", admitted)
	}
}

func take(bucket *Bucket, limit Limit, at time.Time, times int) (admitted int) {
	for range times {
		if bucket.Take(limit, at) {
			admitted++
		}
	}
	return admitted
}

func TestBucketEdges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 25, 9, 0, 0, 0, time.UTC)
	var none Bucket
	if got := take(&none, Limit{}, now, 100); got != 100 || !(Limit{}).IsZero() {
		t.Errorf("without a limit %d of 100 pass", got)
	}
	for _, nothing := range []Limit{NewLimit(0, 10), NewLimit(10, 0), NewLimit(-1, 1), NewLimit(math.NaN(), 1)} {
		var bucket Bucket
		if got := take(&bucket, nothing, now, 5); got != 0 || nothing.IsZero() {
			t.Errorf("%+v lets %d pass", nothing, got)
		}
	}
	for _, extreme := range []Limit{NewLimit(math.Inf(1), math.MaxInt), NewLimit(1e-300, 1), NewLimit(1e-300, math.MaxInt), NewLimit(1e300, 1)} {
		var bucket Bucket
		if !bucket.Take(extreme, now) {
			t.Errorf("%+v lets nothing pass", extreme)
		}
	}
}

// A new limit applies to what was used under the old one, and a clock that is
// put back does not shut a bucket for as long.
func TestBucketAfterAChange(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 25, 9, 0, 0, 0, time.UTC)
	wide, narrow := NewLimit(10, 1000), NewLimit(10, 10)

	var bucket Bucket
	if got := take(&bucket, wide, now, 2000); got != 1000 {
		t.Fatalf("%d of the wide limit", got)
	}
	if got := take(&bucket, narrow, now, 10); got != 0 {
		t.Errorf("%d pass in the moment of the change", got)
	}
	if got := take(&bucket, narrow, now.Add(time.Second), 100); got != 10 {
		t.Errorf("%d pass a second after the change, want 10", got)
	}

	bucket = Bucket{}
	take(&bucket, narrow, now, 100)
	earlier := now.Add(-time.Hour)
	if got := take(&bucket, narrow, earlier, 100); got != 0 {
		t.Errorf("%d pass in the moment in which the clock is put back", got)
	}
	if got := take(&bucket, narrow, earlier.Add(time.Second), 100); got != 10 {
		t.Errorf("%d pass a second after the clock was put back, want 10", got)
	}

	// Events that overtake each other get nothing for it.
	bucket = Bucket{}
	got := 0
	for range 100 {
		got += take(&bucket, narrow, now.Add(900*time.Millisecond), 1) + take(&bucket, narrow, now, 1)
	}
	if got > 19 {
		t.Errorf("%d pass out of order, want at most 19", got)
	}
}

// Times that were read from this machine's clocks are measured by the one that
// nobody can set: a bucket takes no notice of the wall clock.
func TestBucketIsMonotonic(t *testing.T) {
	t.Parallel()
	limit := NewLimit(10, 10)
	var bucket Bucket
	now := time.Now()
	if got := take(&bucket, limit, now, 100); got != 10 {
		t.Fatalf("%d of 10 pass", got)
	}
	at := bucket.full.Load()
	if want := int64(now.Sub(began)) + int64(time.Second); at != want {
		t.Errorf("the bucket is full again at %d, want %d", at, want)
	}
	if !strings.Contains(began.String(), " m=") {
		t.Errorf("time begins at %v, which is of the wall clock alone", began)
	}
}

func BenchmarkBucket(b *testing.B) {
	limit := NewLimit(1e6, 1000)
	b.Run("one goroutine", func(b *testing.B) {
		var bucket Bucket
		b.ReportAllocs()
		for b.Loop() {
			bucket.Take(limit, time.Now())
		}
	})
	b.Run("all processors", func(b *testing.B) {
		var bucket Bucket
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				bucket.Take(limit, time.Now())
			}
		})
	})
}
