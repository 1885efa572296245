package lambda

import (
	"os"
	"sync/atomic"
	"time"
)

// outputLag is the longest that an answer waits for the output that was printed
// before it.
const outputLag = 200 * time.Millisecond

// outputPipe is the end of the pipe that a process's output comes from.
type outputPipe struct {
	*os.File
	reading atomic.Bool   // a Read is waiting, so everything before it was logged
	waits   atomic.Bool   // somebody wants to know
	logged  chan struct{} // receives a value when reading begins while somebody waits; capacity 1
}

func newOutputPipe(f *os.File) *outputPipe {
	return &outputPipe{File: f, logged: make(chan struct{}, 1)}
}

func (o *outputPipe) Read(b []byte) (int, error) {
	o.reading.Store(true)
	if o.waits.Load() {
		select {
		case o.logged <- struct{}{}:
		default:
		}
	}
	defer o.reading.Store(false)
	return o.File.Read(b)
}

// catchUp waits, for outputLag at most, until everything that the process has
// printed was logged. So a function's lines come before its answer, and with
// the right request id. Only one goroutine at a time may call it.
func (o *outputPipe) catchUp() {
	if o == nil || o.caughtUp() {
		return
	}
	o.waits.Store(true)
	defer o.waits.Store(false)
	end := time.NewTimer(outputLag)
	defer end.Stop()
	for !o.caughtUp() {
		select {
		case <-o.logged:
		case <-time.After(time.Millisecond): // it has read, and not come back yet
		case <-end.C:
			return
		}
	}
}

func (o *outputPipe) caughtUp() bool { return unread(o.File) == 0 && o.reading.Load() }
