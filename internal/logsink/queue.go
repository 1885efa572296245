package logsink

import (
	"bytes"
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/lines"
)

const (
	// firstBackoff is how long a queue waits after a failure before it sends again. It
	// waits twice as long after each that follows, up to lastBackoff.
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
	// flushTime is how long lines may take that wait when the gateway ends.
	flushTime = 3 * time.Second
	// endTime is how long an output may take to notice that this time is over.
	endTime = time.Second
)

// queue is a Sink: the lines that wait for an output, within a budget. There is no
// goroutine while nothing waits.
type queue struct {
	queueOptions
	report *report
	lines  *lines.Writer
	closed atomic.Bool
	hurry  chan struct{}   // closed when the gateway ends: the next attempt is made at once
	ctx    context.Context // ends when nothing is sent any more
	cancel context.CancelFunc
}

// queueOptions are what a queue is made with.
type queueOptions struct {
	out    output
	stamp  stamp         // how the time of a line stands before it
	delay  time.Duration // for which a line may wait for others that are sent with it
	sink   *sink
	target string // what of the sink the queue is for, such as a log group; "" for all of it

	oneOfMany bool // of the sink
}

// newQueue makes a queue. The caller closes it.
func newQueue(o queueOptions) *queue {
	q := &queue{queueOptions: o, report: newReport(o.sink, o.target), hurry: make(chan struct{})}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	q.lines = lines.New((*sender)(q), lines.Options{Limit: math.MaxInt, Delay: o.delay, OneOfMany: o.oneOfMany}) // the budget is the limit
	return q
}

// Write implements Sink.
func (q *queue) Write(e Entry) {
	var room [stampSize]byte
	head := q.stamp.append(room[:0], e.Time)
	line := e.Line
	if bytes.IndexByte(line, '\n') >= 0 { // it would be two lines
		line = bytes.ReplaceAll(line, []byte{'\n'}, []byte{' '})
	}
	if q.closed.Load() || !q.sink.budget.take(len(head)+len(line)+1) {
		q.report.dropped(1)
		return
	}
	q.lines.WriteLine(head, line)
}

// close sends what waits, for as long as flushTime; the rest is dropped. It returns soon
// after that even where the output stands still.
func (q *queue) close() {
	q.closed.Store(true)
	close(q.hurry)
	late := time.AfterFunc(flushTime, q.cancel)
	defer late.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), flushTime+endTime)
	defer cancel()
	ended := q.lines.CloseWithin(ctx)
	q.cancel()
	if ended {
		q.out.close()
	}
	q.report.close(ended)
}

// sender is a queue as its lines.Writer sees it.
type sender queue

// Write is given what waits. It returns when that is sent, or dropped.
func (s *sender) Write(text []byte) (int, error) {
	q, whole := (*queue)(s), len(text)
	a := attempts{backoff: firstBackoff, hurry: q.hurry}
	for len(text) > 0 && q.ctx.Err() == nil {
		q.report.begin()
		rest, err := q.out.send(q.ctx, text)
		q.report.end()
		q.sink.budget.free(len(text) - len(rest))
		if len(rest) < len(text) {
			a.backoff = firstBackoff
		}
		text = rest
		switch r := asRefused(err); {
		case err == nil:
			q.report.works()
		case r != nil:
			q.report.refused(r)
		case q.ctx.Err() == nil:
			q.report.fails(err)
			a.wait(q.ctx)
		}
	}
	q.sink.budget.free(len(text))
	q.report.dropped(bytes.Count(text, []byte{'\n'}))
	return whole, nil
}

// attempts are the waits between attempts to send the same lines.
type attempts struct {
	backoff time.Duration
	hurry   <-chan struct{} // nil when it was closed and seen
}

func (a *attempts) wait(ctx context.Context) {
	timer := time.NewTimer(a.backoff)
	defer timer.Stop()
	select {
	case <-timer.C:
		a.backoff = min(2*a.backoff, lastBackoff)
	case <-a.hurry:
		a.backoff, a.hurry = firstBackoff, nil
	case <-ctx.Done():
	}
}

// budget bounds the bytes of lines in one queue or in several: of those that wait and of
// those that are being sent.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes room for so many bytes. It reports whether there was any.
func (b *budget) take(bytes int) bool {
	if b.used.Add(int64(bytes)) <= b.limit {
		return true
	}
	b.free(bytes)
	return false
}

// free gives room back.
func (b *budget) free(bytes int) { b.used.Add(-int64(bytes)) }
