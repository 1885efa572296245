package lambda

import (
	"os"
	"sync/atomic"
	"time"
)

// outputLag bounds how long an answer waits for the output before it.
const outputLag = 200 * time.Millisecond

// outputPipe is the end of the pipe that a process's output comes from.
type outputPipe struct {
	*os.File
	reading atomic.Bool // a Read is waiting, so what came before is in the log
}

func (o *outputPipe) Read(b []byte) (int, error) {
	o.reading.Store(true)
	defer o.reading.Store(false)
	return o.File.Read(b)
}

// catchUp waits a moment until what the process has printed is in the log. So
// a function's lines come before its answer, and under the right request id.
func (o *outputPipe) catchUp() {
	for end := time.Now().Add(outputLag); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if unread(o.File) == 0 && o.reading.Load() {
			return
		}
	}
}
