package overload

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Memory is given back when a burst is over, once, and not for what is allocated bit by
// bit before it has become much.
func TestReclaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const mebibyte = 1 << 20
		allocated, freed := uint64(0), 0
		r := &reclaimer{
			memory: func() (uint64, uint64) { return allocated, 40 * mebibyte },
			free:   func() { freed++; time.Sleep(100 * time.Millisecond) },
		}
		// seconds looks once a second, while so many bytes are allocated in each.
		seconds := func(n int, bytes uint64) {
			for range n {
				time.Sleep(time.Second)
				allocated += bytes
				r.look(time.Now())
			}
		}
		expect := func(what string, want int) {
			t.Helper()
			if freed != want {
				t.Fatalf("%s: memory was given back %d times, want %d", what, freed, want)
			}
		}
		seconds(60, 1000)
		expect("nothing happens", 0)
		seconds(30, 10*mebibyte)
		expect("busy", 0)
		seconds(1, 0)
		expect("a second after", 0)
		seconds(2, 0)
		expect("three seconds after", 1)
		seconds(60, 1000)
		expect("a minute after", 1)
		seconds(3, 10*mebibyte)
		seconds(3, 0)
		expect("another burst", 2)
		seconds(1, 20*mebibyte)
		seconds(5, 0)
		expect("one right after it", 2) // giving back took a tenth of a second: nothing for ten seconds
		seconds(10, 0)
		expect("ten seconds after", 3)
		seconds(15, 0)
		seconds(3, mebibyte)
		expect("bit by bit", 3)
		seconds(3, mebibyte)
		expect("bit by bit, until it is much", 4)
	})
}

// What the process has allocated and holds is known, and its memory is given back.
func TestReclaimer(t *testing.T) {
	t.Parallel()
	r := newReclaimer()
	before, held := r.memory()
	sink = make([]byte, 8<<20)
	after, _ := r.memory()
	if after-before < 8<<20 || held == 0 {
		t.Errorf("8 MiB were allocated, and the count went from %d to %d; %d are held", before, after, held)
	}
	r.free()
}

var sink []byte

func TestReclaimEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		Reclaim(ctx)
	})
}
