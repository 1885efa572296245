//go:build linux

package logsink

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk that is full is told once. What was kept is written when there is room again, no
// line in two.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a small file system; TestDeviceIsFull is for everybody")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("a small file system cannot be mounted here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, 0) })
	ballast, path := filepath.Join(disk, "ballast"), filepath.Join(disk, "access.log")
	if err := os.WriteFile(ballast, make([]byte, 32<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, Options{Access: everything(Place{File: path})})
	sink := l.Access(chatARN)
	const lines = 400
	for i := range lines {
		write(sink, fmt.Sprintf("%03d %s", i, strings.Repeat("x", 95)))
	}
	eventually(t, func() error {
		if l.told("no space left on device") != 1 {
			return fmt.Errorf("the log has\n%s", l.own)
		}
		return nil
	})
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		got := strings.Split(read(path)(), "\n")
		if len(got) != lines+1 || l.told("written again") != 1 {
			return fmt.Errorf("%d lines; the log has\n%s", len(got)-1, l.own)
		}
		for i, line := range got[:lines] {
			if !strings.HasPrefix(line, fmt.Sprintf("%03d ", i)) || len(line) != 99 {
				t.Fatalf("line %d is %q", i, line)
			}
		}
		return nil
	})
	if n := l.dropped("file:" + path); n != 0 {
		t.Errorf("%d lines were dropped", n)
	}
	l.Close()
}

// A device that is always full costs what is too much, and the end does not wait for it.
func TestDeviceIsFull(t *testing.T) {
	t.Parallel()
	const path = "/dev/full"
	l := open(t, Options{Access: everything(Place{File: path})})
	sink := l.Access(chatARN)
	line := strings.Repeat("x", 1023)
	const lines = 10_000
	for range lines {
		write(sink, line)
	}
	eventually(t, func() error {
		if l.told("no space left on device") != 1 {
			return fmt.Errorf("the log has\n%s", l.own)
		}
		return nil
	})
	l.Close()
	if n := l.dropped("file:" + path); n != lines {
		t.Errorf("%d lines were dropped", n)
	}
}

// A named pipe is waited for until somebody reads it, and who stops reading it holds up
// nothing: neither the lines that come, nor the end.
func TestNamedPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, Options{Access: everything(Place{File: path})})
	sink := l.Access(chatARN)
	write(sink, "first")
	if l.told("log lines cannot be written") != 1 {
		t.Errorf("the log has\n%s", l.own)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY, 0) // returns when it is written to
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	got := make([]byte, 6)
	if _, err := reader.Read(got); err != nil || string(got) != "first\n" {
		t.Errorf("%q, %v", got, err)
	}
	line := strings.Repeat("x", 1023)
	for range 10_000 { // more than the pipe holds, and more than waits
		write(sink, line)
	}
	eventually(t, func() error {
		if l.dropped("file:"+path) == 0 {
			return fmt.Errorf("nothing was dropped")
		}
		return nil
	})
	l.Close()
}
