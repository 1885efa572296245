package logsink

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// lookAfter is how often a file that is written to is looked after: whether its path still
// leads to it.
const lookAfter = time.Second

// file is an output to a file, at whose end lines are written. It is opened anew when its
// path leads elsewhere, so that whoever rotates logs may rename it, and after a failure.
type file struct {
	path string

	moved atomic.Bool // it is to be opened anew

	mu     sync.Mutex // guards what follows
	out    *os.File   // nil when it is to be opened
	looked time.Time
}

// reopen opens the file anew: at once, or when what is being written to it is written.
func (f *file) reopen() {
	f.moved.Store(true)
	f.openMoved()
}

// openMoved opens the file anew if that is to be done and the lock is free: whoever has the
// lock does it otherwise. What is wrong with the file, send says.
func (f *file) openMoved() {
	for f.moved.Load() && f.mu.TryLock() {
		_ = f.open()
		f.mu.Unlock()
	}
}

// openNow opens the file before there is anything to write.
func (f *file) openNow() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open()
}

// open makes the file of the path be the one that is open. The lock is held.
func (f *file) open() error {
	moved := f.moved.Swap(false)
	if f.out != nil && !moved && time.Since(f.looked) < lookAfter {
		return nil
	}
	f.looked = time.Now()
	if moved || f.out != nil && !f.isHere() {
		f.closeLocked()
	}
	if f.out != nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o750); err != nil {
		return err
	}
	// Without O_NONBLOCK a named pipe that nobody reads would keep us here.
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o640)
	if err == nil {
		f.out = out
	}
	return err
}

// isHere reports whether the path leads to the open file. The lock is held.
func (f *file) isHere() bool {
	here, err := os.Stat(f.path)
	if err != nil {
		return false
	}
	open, err := f.out.Stat()
	return err == nil && os.SameFile(here, open)
}

// send implements output.
func (f *file) send(ctx context.Context, text []byte) ([]byte, error) {
	defer f.openMoved()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.open(); err != nil {
		return text, err
	}
	// A pipe that nobody reads is closed at the end; what waits for a disk cannot be ended.
	out := f.out
	stop := context.AfterFunc(ctx, func() { _ = out.Close() })
	n, err := out.Write(text)
	stop()
	if err != nil {
		f.closeLocked() // whatever is wrong with it may be right with another
	}
	return text[n:], err
}

// close implements output.
func (f *file) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeLocked()
}

func (f *file) closeLocked() {
	if f.out != nil {
		_ = f.out.Close() // what it has to say, write has said
		f.out = nil
	}
}

// stream is an output to what is always open, such as standard output.
type stream struct{ io.Writer }

// send implements output.
func (s stream) send(_ context.Context, text []byte) ([]byte, error) {
	n, err := s.Write(text)
	if n < 0 || n > len(text) {
		return nil, fmt.Errorf("%d of %d bytes are said to be written", n, len(text))
	}
	return text[n:], err
}

// close implements output.
func (stream) close() {}
