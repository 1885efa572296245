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
	reading atomic.Bool // a Read is waiting, so everything before it was logged
}

func (o *outputPipe) Read(b []byte) (int, error) {
	o.reading.Store(true)
	defer o.reading.Store(false)
	return o.File.Read(b)
}

// catchUp waits, for outputLag at most, until everything that the process has
// printed was logged. So a function's lines come before its answer, and with
// the right request id.
func (o *outputPipe) catchUp() {
	for end := time.Now().Add(outputLag); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if unread(o.File) == 0 && o.reading.Load() {
			return
		}
	}
}
