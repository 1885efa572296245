package logsink

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read reads a file; one that is missing is empty.
func read(path string) func() string {
	return func() string {
		text, _ := os.ReadFile(path)
		return string(text)
	}
}

// Lines are at the end of the file, those of execution logs with their time in front. What
// clients write makes no second line.
func TestFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	access, execution := filepath.Join(dir, "logs", "access.log"), filepath.Join(dir, "execution.log")
	if err := os.WriteFile(execution, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, Options{Access: everything(Place{File: access}), Execution: Place{File: execution}})
	write(l.Access(chatARN), "first", "second\nline")
	write(l.Execution("a1", "prod"), "(r1) first")
	holds(t, read(access), "first\nsecond line\n")
	holds(t, read(execution), "before\n2026-11-30T12:00:00.123Z (r1) first\n")
	write(l.Access(chatARN), "last")
	l.Close()
	if got := read(access)(); got != "first\nsecond line\nlast\n" {
		t.Errorf("in the end it has\n%s", got)
	}
}

// Whoever rotates logs renames the file and has it opened anew, which makes it at once; or
// only renames or removes it.
func TestFileIsRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "access.log")
	l := open(t, Options{Access: everything(Place{File: path})})
	sink := l.Access(chatARN)
	write(sink, "first")
	holds(t, read(path), "first\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	l.Reopen()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	write(sink, "second")
	holds(t, read(path), "second\n")
	holds(t, read(path+".1"), "first\n")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		write(sink, "another")
		if got := read(path)(); !strings.HasPrefix(got, "another\n") {
			return fmt.Errorf("the new file has %q", got)
		}
		return nil
	})
	if n := l.dropped("file:" + path); n != 0 || l.own.String() != "" {
		t.Errorf("%d lines were dropped; the log has\n%s", n, l.own)
	}
}

// A file that cannot be written is told once. What is too much meanwhile is dropped and
// counted; the rest is written when the file can be.
func TestFileFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	if err := os.Mkdir(path, 0o700); err != nil { // a folder is in its place
		t.Fatal(err)
	}
	l := open(t, Options{Access: everything(Place{File: path})})
	if l.told("log lines cannot be written") != 1 {
		t.Errorf("at the start the log has\n%s", l.own)
	}
	sink := l.Access(chatARN)
	line := strings.Repeat("x", 1023)
	const lines = 10_000
	for range lines {
		write(sink, line)
	}
	const kept = maxWaiting / 1024
	if n := l.dropped("file:" + path); n != lines-kept {
		t.Errorf("%d lines were dropped", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := strings.Count(read(path)(), line+"\n"); got != kept {
			return fmt.Errorf("%d lines are in the file", got)
		}
		return nil
	})
	eventually(t, func() error {
		if l.told("log lines cannot be written") != 1 || l.told(fmt.Sprintf("log lines are written again\" sink=file:%s dropped=%d", path, lines-kept)) != 1 {
			return fmt.Errorf("the log has\n%s", l.own)
		}
		return nil
	})
	write(sink, "after")
	eventually(t, func() error {
		if !strings.HasSuffix(read(path)(), "\nafter\n") {
			return fmt.Errorf("the last line is missing")
		}
		return nil
	})
}
