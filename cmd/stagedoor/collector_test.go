package main

import "testing"

// The more lives, the less garbage is let be beside it.
func TestPercentFor(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{
		0: 300, 16 << 20: 300, 24 << 20: 200, 48 << 20: 100, 96 << 20: 50, 4 << 30: 50,
	} {
		if got := percentFor(live); got != want {
			t.Errorf("with %d bytes: %d %%, want %d", live, got, want)
		}
	}
}
