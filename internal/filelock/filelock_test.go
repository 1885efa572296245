package filelock

import (
	"os"
	"path/filepath"
	"testing"
)

// A lock keeps others out until it ends.
func TestTry(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		t.Helper()
		file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		return file
	}
	try := func(file *os.File, want bool) {
		t.Helper()
		if locked, err := Try(file); locked != want || err != nil {
			t.Errorf("locked %v, %v; want %v", locked, err, want)
		}
	}
	first, second := open(), open()
	try(first, true)
	try(second, false)
	if err := Unlock(first); err != nil {
		t.Fatal(err)
	}
	try(second, true)
	try(first, false)
}
