//go:build unix

package dev

import (
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe in the page's folder hangs neither a request nor the stop.
func TestPageWithPipe(t *testing.T) {
	t.Parallel()
	a := start(t, mocks("hello=Mock"))
	a.write(t, "public/index.html", "hi")
	for _, name := range []string{"pipe", "sub"} {
		if err := syscall.Mkfifo(filepath.Join(a.folder, "public", name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/pipe", "/sub/index.html"} {
		if status, _ := get(t, a.Public+path); status != 403 {
			t.Errorf("%s: %d, want 403", path, status)
		}
	}
	if err := a.stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}
