package report

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	begin = "<!-- measurements: begin -->\n"
	end   = "<!-- measurements: end -->\n"
)

func TestUpdate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	text := "# Title\n\n" + begin + "old\n" + end + "\nThe rest.\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, measurements := range []string{"first\n", "\nsecond"} {
		if err := Update(path, "measurements", measurements); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "# Title\n\n" + begin + "\nsecond\n\n" + end + "\nThe rest.\n"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A document without the marks is left alone.
func TestUpdateWithoutMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "performance.md")
	text := "# Title\n" + end + begin
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Update(path, "measurements", "new"); err == nil {
		t.Error("no error")
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%q, %v", got, err)
	}
}
