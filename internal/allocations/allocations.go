// Package allocations has a check for tests that guard how much memory a station of
// a message's way allocates. A pool that is not used any more, a text that is made
// without need, a closure: none of them shows but here.
package allocations

import (
	"math"
	"testing"
)

// AtMost fails a test if a call of f allocates more often than most, once f has been
// called before. The test must not run in parallel to others: allocations are counted
// over the whole process. Under the race detector it is skipped.
func AtMost(t *testing.T, most float64, f func()) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector allocates itself, and has pools lose at random what is put into them")
	}
	// Something else in the process may allocate meanwhile, such as a timer of an
	// earlier test; a collection empties pools. Neither happens each time.
	least := math.Inf(1)
	for range 10 {
		if least = min(least, testing.AllocsPerRun(100, f)); least <= most {
			return
		}
	}
	t.Errorf("%v allocations, at most %v are expected", least, most)
}
