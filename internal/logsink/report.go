package logsink

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// stallTime is after what time an output that does not return is said to stand still.
	stallTime = 10 * time.Second
	// quiet is the time between two lines about the same: an output that fails now and then
	// must not fill the gateway's own log.
	quiet = time.Minute
	// mostTold is how many lines the queues of one sink write to the gateway's own log in
	// that time: all log groups may fail together.
	mostTold = 10
)

// sink is what is known of a sink by its name: it may have several queues.
type sink struct {
	name    string
	log     *slog.Logger  // the gateway's own, which waits for nobody
	dropped atomic.Uint64 // lines
	budget  budget        // of all its queues

	mu    sync.Mutex // guards what follows
	since time.Time  // when told began to be counted
	told  int
}

// tell writes a line about the sink to the gateway's own log, unless there were many. It
// reports whether it has.
func (s *sink) tell(level slog.Level, message string, attributes ...any) bool {
	s.mu.Lock()
	now := time.Now()
	if now.Sub(s.since) >= quiet {
		s.since, s.told = now, 0
	}
	s.told++
	many := s.told > mostTold
	s.mu.Unlock()
	if !many {
		s.log.Log(context.Background(), level, message, append([]any{"sink", s.name}, attributes...)...)
	}
	return !many
}

// report tells how a queue fares: each trouble once, and its end.
type report struct {
	sink   *sink
	target []any // an attribute of the log, or none
	lost   atomic.Uint64
	stall  *time.Timer

	mu       sync.Mutex // guards what follows
	failed   time.Time  // when lines could not be sent; zero for never
	troubled bool       // and that was told
	lostAt   uint64     // what was lost when something was told last
	nextTime time.Time  // before which no other trouble is told
}

// errStill is the error of an output that stands still.
var errStill = errors.New("it stands still")

func newReport(s *sink, target string) *report {
	r := &report{sink: s}
	if target != "" {
		r.target = []any{"target", target}
	}
	r.stall = time.AfterFunc(time.Hour, func() { r.trouble(errStill, true) })
	r.stall.Stop()
	return r
}

// begin and end stand around each call of the output.
func (r *report) begin() { r.stall.Reset(stallTime) }
func (r *report) end()   { r.stall.Stop() }

// dropped counts lines that are lost.
func (r *report) dropped(lines int) {
	r.lost.Add(uint64(lines))         // never negative
	r.sink.dropped.Add(uint64(lines)) // never negative
}

// fails is told that lines could not be sent. One failure may be an accident, such as a
// connection that had been closed meanwhile; a second soon after it is trouble.
func (r *report) fails(err error) { r.trouble(err, false) }

// trouble tells that lines cannot be sent, unless that is told already: atOnce, or where it
// is not the first time.
func (r *report) trouble(err error, atOnce bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	again := !r.failed.IsZero() && now.Sub(r.failed) < quiet
	r.failed = now
	if !again && !atOnce || r.troubled || now.Before(r.nextTime) {
		return
	}
	r.troubled = r.tell(slog.LevelWarn, "log lines cannot be written; they wait, and those that are too many are dropped", "error", err)
}

// works is told that lines were sent.
func (r *report) works() {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := r.lost.Load() - r.lostAt
	switch {
	case r.troubled:
		r.troubled = false
		r.tell(slog.LevelInfo, "log lines are written again", "dropped", lost)
	case lost > 0 && !time.Now().Before(r.nextTime):
		r.tell(slog.LevelWarn, "log lines were dropped: more came than could be written", "dropped", lost)
	}
}

// refused is told that lines are given up.
func (r *report) refused(e *refused) {
	r.dropped(e.lines)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !time.Now().Before(r.nextTime) {
		r.tell(slog.LevelWarn, "log lines were refused, and are dropped", "error", e.error, "dropped", r.lost.Load()-r.lostAt)
	}
}

// close is told that the queue has ended, and whether its output had returned.
func (r *report) close(ended bool) {
	r.stall.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch lost := r.lost.Load() - r.lostAt; {
	case !ended:
		r.tell(slog.LevelWarn, "log lines are lost: until the end they could not be written")
	case lost > 0:
		r.tell(slog.LevelWarn, "log lines were dropped", "dropped", lost)
	}
}

// tell tells something, with what is lost until now. The lock is held.
func (r *report) tell(level slog.Level, message string, attributes ...any) bool {
	r.lostAt, r.nextTime = r.lost.Load(), time.Now().Add(quiet)
	return r.sink.tell(level, message, append(r.target, attributes...)...)
}
