package allocations

import "testing"

var kept []byte // escapes, so that what it refers to is allocated

// What allocates twice is at most 2, and what allocates nothing at most 0.
func TestAtMost(t *testing.T) {
	AtMost(t, 0, func() {})
	AtMost(t, 2, func() {
		kept = make([]byte, 100)
		kept = make([]byte, 200)
	})
}
