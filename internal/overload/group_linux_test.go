package overload

import (
	"os"
	"path/filepath"
	"testing"
)

// The limit of a control group is the least on the way to the root.
func TestGroupLimit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for group, text := range map[string]string{"a": "1000\n", "a/b": "max\n", "a/b/c": "2000\n", "d": "max\n"} {
		if err := os.MkdirAll(filepath.Join(root, group), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, group, "memory.max"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for group, want := range map[string]uint64{"/": 0, "/a": 1000, "/a/b": 1000, "/a/b/c": 1000, "/d": 0, "/gone": 0} {
		if got := groupLimitOf(root, group); got != want {
			t.Errorf("%s: %d, want %d", group, got, want)
		}
	}
}
