package eventstream

import (
	"fmt"
	"sync"
)

// maxWaiting is how many bytes of events wait for a watcher. Those beyond are dropped,
// and the watcher is told.
const maxWaiting = 1 << 20

// Queue holds events that wait for one watcher. It is safe for concurrent use, and nobody
// waits for anybody.
type Queue struct {
	limit int
	ready chan struct{} // has a value where there may be something to take

	mu      sync.Mutex // guards what follows
	waiting []byte
	dropped int
}

// NewQueue makes a queue that holds so many bytes.
func NewQueue(limit int) *Queue { return &Queue{limit: limit, ready: make(chan struct{}, 1)} }

// Add adds an event, a JSON object, or drops it where there is no room. Once one was
// dropped all are, until the watcher has taken what waits: so it is told of one gap, where
// it is.
func (q *Queue) Add(event []byte) {
	const before, behind = "data: ", "\n\n"
	q.mu.Lock()
	if q.dropped > 0 || len(q.waiting)+len(before)+len(event)+len(behind) > q.limit {
		q.dropped++
	} else {
		q.waiting = append(append(append(q.waiting, before...), event...), behind...)
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// isFull reports whether an event would be dropped, whatever its size, and counts it where
// that is so: nobody has to write it.
func (q *Queue) isFull() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.dropped == 0 {
		return false
	}
	q.dropped++
	return true
}

// take returns what waits, with a notice where something was dropped behind it. The spare
// buffer is used from now on.
func (q *Queue) take(spare []byte) []byte {
	q.mu.Lock()
	text, dropped := q.waiting, q.dropped
	q.waiting, q.dropped = spare[:0], 0
	q.mu.Unlock()
	if dropped > 0 {
		text = fmt.Appendf(text, `data: {"event":"notice","text":"%s here: they came faster than they were read","dropped":%d}`+"\n\n", missing(dropped), dropped)
	}
	return text
}

func missing(events int) string {
	if events == 1 {
		return "1 event is missing"
	}
	return fmt.Sprintf("%d events are missing", events)
}
