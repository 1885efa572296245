package autobahn

import "testing"

// The suite has 301 cases without those of compression, each with a number of
// its own.
func TestCases(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	sections := map[byte]int{}
	for _, c := range Cases() {
		if seen[c.ID] {
			t.Errorf("case %s is there twice", c.ID)
		}
		seen[c.ID] = true
		if c.ID != "10.1.1" {
			sections[c.ID[0]]++
		}
	}
	for section, want := range map[byte]int{'1': 16, '2': 11, '3': 7, '4': 10, '5': 20, '6': 145, '7': 37, '9': 54} {
		if got := sections[section]; got != want {
			t.Errorf("section %c has %d cases, want %d", section, got, want)
		}
	}
	if !seen["10.1.1"] || len(seen) != 301 {
		t.Errorf("%d cases", len(seen))
	}
}
