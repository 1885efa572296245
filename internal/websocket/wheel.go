package websocket

import (
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// wheelTick is the resolution of a connection's times.
const wheelTick = 10 * time.Millisecond

// clock counts nanoseconds since the engine was made; it never steps.
type clock struct{ start time.Time }

func (k clock) now() int64 { return int64(time.Since(k.start)) }

// milliseconds is now in milliseconds. It begins again after 49 days: differences are
// right up to that.
func (k clock) milliseconds() uint32 { return uint32(k.now() / int64(time.Millisecond)) }

// at is the wall time of a count of the clock.
func (k clock) at(count int64) time.Time {
	return time.Now().Add(time.Duration(count - k.now()))
}

// wheel calls fire for connections whose time has come. Each connection has at
// most one place in it; an earlier time moves it forward, a later time doesn't
// touch it: fire finds out that it was early and schedules anew. So activity
// on a connection costs the wheel nothing.
//
// It needs no goroutine of its own: one runtime timer runs it when something
// is due.
type wheel struct {
	clock clock
	fire  func(*Conn) // called with no lock held

	running sync.Mutex // held by run

	mu      sync.Mutex // guards what follows, and Conn.timer
	places  eventloop.Wheel[*timed]
	timer   *time.Timer
	wake    int64 // the tick that timer is set for; 0: not set
	stopped bool
}

// timed is a Conn as the wheel sees it.
type timed Conn

// Place implements eventloop.Entry.
func (t *timed) Place() *eventloop.Place[*timed] { return &t.timer }

func newWheel(k clock, fire func(*Conn)) *wheel {
	w := &wheel{clock: k, fire: fire}
	w.timer = time.AfterFunc(time.Hour, w.run)
	w.timer.Stop()
	return w
}

// schedule makes the wheel fire for c at due, on the clock, or soon after;
// earlier if c is in the wheel for an earlier time.
func (w *wheel) schedule(c *Conn, due int64) {
	tick := (due + int64(wheelTick) - 1) / int64(wheelTick)
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := c.timer.Due(); w.stopped || at != 0 && at <= tick {
		return
	}
	w.places.Remove((*timed)(c))
	w.places.Add((*timed)(c), tick, w.tick())
	w.setTimerLocked(c.timer.Due())
}

// remove takes c out of the wheel.
func (w *wheel) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.places.Remove((*timed)(c))
}

// stop ends the wheel; when it returns, no fire is under way.
func (w *wheel) stop() {
	w.mu.Lock()
	w.stopped = true
	w.timer.Stop()
	w.mu.Unlock()
	w.running.Lock()
	defer w.running.Unlock()
}

func (w *wheel) tick() int64 { return w.clock.now() / int64(wheelTick) }

// setTimerLocked sets the timer for what is due at a tick, unless it is set for one before that.
func (w *wheel) setTimerLocked(due int64) {
	if w.wake != 0 && w.wake <= due {
		return
	}
	w.wake = w.places.Next()
	w.timer.Reset(time.Duration(w.wake*int64(wheelTick) - w.clock.now()))
}

// run fires for all that is due by now.
func (w *wheel) run() {
	w.running.Lock()
	defer w.running.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped {
		due := w.places.Pop(w.tick())
		if due == nil {
			break
		}
		w.mu.Unlock()
		w.fire((*Conn)(due))
		w.mu.Lock()
	}
	if w.wake = 0; !w.stopped && !w.places.Empty() {
		w.setTimerLocked(0)
	}
}
