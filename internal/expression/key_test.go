package expression

import (
	"strings"
	"testing"
)

// Specification, sections C.1 and D.3, and M.7: patterns match the whole
// value.
func TestMatcher(t *testing.T) {
	t.Parallel()
	keys := []string{`/4\d\d/`, "$default", `/.*timed out.*/`, "404", `/(?!Success).*\/end/`}
	m, err := NewMatcher(keys)
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"400": `/4\d\d/`, "404": "404", "4000": "$default", "x400": "$default", "": "$default",
		"Task timed out after 3 s": `/.*timed out.*/`, "Failed/end": `/(?!Success).*\/end/`, "Success/end": "$default",
	} {
		if got := m.Match([]byte(value)); keys[got] != want {
			t.Errorf("%q selects %s, want %s", value, keys[got], want)
		}
	}
}

func TestMatcherWithoutDefault(t *testing.T) {
	t.Parallel()
	m, err := NewMatcher([]string{"/2../", "/"})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]int{"200": 0, "500": -1, "/": 1} {
		if got := m.Match([]byte(value)); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
	if _, err := NewMatcher([]string{"/(/"}); err == nil || !strings.Contains(err.Error(), "/(/") {
		t.Errorf("a broken pattern: %v", err)
	}
}
