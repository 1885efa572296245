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
// system call for each line would cost more than the message that the line is
// about.
const flushAfter = 10 * time.Millisecond

// lineWriter is a writer of whole lines, which writes several together when
// they come fast. It is safe for concurrent use.
type lineWriter struct {
	mu     sync.Mutex
	buffer *bufio.Writer // guarded by mu
	timer  *time.Timer   // guarded by mu; running while the buffer holds something
	// unread is called when a write fails because nobody reads any more; it may
	// be nil. It is set before the first line.
	unread func()
}

func newLines(out io.Writer) *lineWriter {
	l := &lineWriter{buffer: bufio.NewWriterSize(out, 64<<10)}
	l.timer = time.AfterFunc(time.Hour, l.flush)
	l.timer.Stop()
	return l
}

// Write writes one or more whole lines.
func (l *lineWriter) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buffer.Buffered() == 0 {
		l.timer.Reset(flushAfter)
	}
	return l.buffer.Write(text)
}

// flush writes the lines that wait. If that fails they are dropped, because
// nobody reads them.
func (l *lineWriter) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.buffer.Flush(); errors.Is(err, syscall.EPIPE) && l.unread != nil {
		l.unread()
	}
}

// close writes the lines that wait, and stops the timer.
func (l *lineWriter) close() {
	l.timer.Stop()
	l.flush()
}
