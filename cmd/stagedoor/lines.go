package main

import (
	"bufio"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"
)

// flushAfter is how long a line may wait for others to be written with it. A
// write per line would cost more than handling the message it tells of.
const flushAfter = 10 * time.Millisecond

// lines is a writer of whole lines that are written together when they come
// fast. It may be used concurrently.
type lines struct {
	mu     sync.Mutex
	buffer *bufio.Writer // guarded by mu
	timer  *time.Timer   // guarded by mu; running while the buffer holds something
	// unread is called when nobody is left to read; nil: nobody wants to know. It
	// is set before the first line.
	unread func()
}

func newLines(out io.Writer) *lines {
	l := &lines{buffer: bufio.NewWriterSize(out, 64<<10)}
	l.timer = time.AfterFunc(time.Hour, l.flush)
	l.timer.Stop()
	return l
}

// Write takes one or more whole lines.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buffer.Buffered() == 0 {
		l.timer.Reset(flushAfter)
	}
	return l.buffer.Write(text)
}

// flush writes what waits. What cannot be written is dropped: nobody is left
// to read it.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.buffer.Flush(); errors.Is(err, syscall.EPIPE) && l.unread != nil {
		l.unread()
	}
}

// close writes what waits and stops the timer.
func (l *lines) close() {
	l.timer.Stop()
	l.flush()
}
