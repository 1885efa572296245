// Package lines writes lines to an output that may stand still: a terminal that is
// paused, a pipe that nobody reads. Whoever writes a line never waits for it. Several
// lines that come fast are written together.
//
// What `stagedoor dev` prints, the log of `stagedoor serve`, and access and execution
// logs are written by it, since they come from event loops.
package lines

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// together is how many bytes are written without waiting for more lines.
	together = 64 << 10
	// mostKept is the size of the largest buffer that is used again.
	mostKept = 1 << 20
	// closeTime is how long Close waits for an output that stands still.
	closeTime = 2 * time.Second
)

// Options of a Writer.
type Options struct {
	// Limit is how many bytes of lines may wait. Lines beyond are lost.
	Limit int
	// Delay is how long a line may wait for others to be written with it: a system
	// call for each line would cost more than the message that the line is about.
	Delay time.Duration
	// OneOfMany is for a writer of which there are thousands: it has no buffer while
	// nothing waits. Another keeps two for the next lines, each of 1 MiB at most.
	OneOfMany bool
	// Lost is told how many lines were lost, when the output takes lines again. It
	// may be nil.
	Lost func(lines int)
	// Unread is called when a write fails because nobody reads the output any more.
	// It may be nil.
	Unread func()
}

// Writer writes whole lines. It is safe for concurrent use.
type Writer struct {
	out     io.Writer
	options Options
	timer   *time.Timer

	spares chan []byte // an empty buffer, taken while out is written to
	total  atomic.Uint64

	mu      sync.Mutex // guards what follows
	waiting []byte
	lost    int
	set     bool // flush will be called
	closed  bool
}

// New makes a writer. The caller closes it.
func New(out io.Writer, o Options) *Writer {
	w := &Writer{out: out, options: o, spares: make(chan []byte, 1)}
	w.spares <- nil
	w.timer = time.AfterFunc(time.Hour, w.flush)
	w.timer.Stop()
	return w
}

// Write takes one or more whole lines. It neither waits nor fails.
func (w *Writer) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.waiting)
	if before+len(text) > w.options.Limit {
		w.lose(bytes.Count(text, []byte{'\n'}))
	} else {
		w.waiting = append(w.waiting, text...)
	}
	w.schedule(before)
	return len(text), nil
}

// WriteLine takes one line, in two parts and without its line break. It neither waits nor
// fails.
func (w *Writer) WriteLine(head, line []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := len(w.waiting)
	if before+len(head)+len(line)+1 > w.options.Limit {
		w.lose(1)
	} else {
		w.waiting = append(append(append(w.waiting, head...), line...), '\n')
	}
	w.schedule(before)
}

// lose counts lines that are lost. The lock is held.
func (w *Writer) lose(lines int) {
	w.lost += lines
	w.total.Add(uint64(lines)) // never negative
}

// Lost returns how many lines were lost until now because too many bytes waited.
func (w *Writer) Lost() uint64 { return w.total.Load() }

// schedule has what waits be written, or what was lost be told: so many bytes waited
// before. The lock is held.
func (w *Writer) schedule(before int) {
	switch {
	case w.closed:
	case before < together && len(w.waiting) >= together:
		w.timer.Reset(0)
	case !w.set:
		w.timer.Reset(w.options.Delay)
	}
	w.set = true
}

// flush writes what waits, when what is being written is done. If that fails it is
// dropped, because nobody reads it.
func (w *Writer) flush() {
	spare := <-w.spares
	w.mu.Lock()
	text, lost := w.waiting, w.lost
	w.waiting, w.lost, w.set = spare, 0, false
	w.mu.Unlock()
	if len(text) == 0 {
		// only lines that were lost
	} else if _, err := w.out.Write(text); errors.Is(err, syscall.EPIPE) && w.options.Unread != nil {
		w.options.Unread()
	}
	if lost > 0 && w.options.Lost != nil {
		w.options.Lost(lost)
	}
	if w.options.OneOfMany || !isKept(text) {
		text = nil
	}
	w.spares <- text[:0]
}

// isKept reports whether the buffer of what was written is used again. A large one is, while
// there is that much to write.
func isKept(text []byte) bool {
	size := cap(text)
	return size <= mostKept && (size <= 4*together || len(text) >= size/4)
}

// Close writes what waits, for as long as two seconds if the output stands still. What is
// written afterwards is lost.
func (w *Writer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	w.CloseWithin(ctx)
}

// CloseWithin is Close that waits until ctx ends. It reports whether all was written, or
// was tried to be.
func (w *Writer) CloseWithin(ctx context.Context) bool {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.timer.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.flush()
		w.flush() // what Lost has written
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}
