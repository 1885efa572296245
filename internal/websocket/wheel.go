package websocket

import (
	"sync"
	"time"
)

// The wheel has levels of 256 slots; a slot of a level spans all of the level
// below. With a tick of 10 ms they reach 2.56 s, 11 minutes and 46 hours; what
// is due later is looked at again after that time.
const (
	wheelTick   = 10 * time.Millisecond
	wheelLevels = 3
	wheelBits   = 8
	wheelSlots  = 1 << wheelBits
	wheelReach  = 1<<(wheelLevels*wheelBits) - 1
)

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
	tick    int64      // the last tick that was handled
	slots   [wheelLevels][wheelSlots]*Conn
	counts  [wheelLevels]int
	timer   *time.Timer
	wake    int64 // the tick that timer is set for; 0: not set
	stopped bool
}

// wheelEntry is a connection's place in the wheel.
type wheelEntry struct {
	prev, next *Conn
	due        int64 // tick; 0: not in the wheel
	level      uint8
	slot       uint8
}

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
	if w.stopped || c.timer.due != 0 && c.timer.due <= tick {
		return
	}
	w.unlinkLocked(c)
	if w.counts == [wheelLevels]int{} {
		w.tick = w.clock.now() / int64(wheelTick)
	}
	w.insertLocked(c, tick, w.tick+1)
	w.setTimerLocked()
}

// remove takes c out of the wheel.
func (w *wheel) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unlinkLocked(c)
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

// insertLocked puts c into the lowest level that reaches from the next tick to be
// handled to c's.
func (w *wheel) insertLocked(c *Conn, tick, next int64) {
	tick = max(tick, next)
	place := min(tick, next+wheelReach)
	level := 0
	for place-next >= 1<<((level+1)*wheelBits) {
		level++
	}
	slot := uint8(place >> (level * wheelBits))
	head := &w.slots[level][slot]
	c.timer = wheelEntry{next: *head, due: tick, level: uint8(level), slot: slot}
	if *head != nil {
		(*head).timer.prev = c
	}
	*head = c
	w.counts[level]++
}

// unlinkLocked takes c out of its place, if it has one.
func (w *wheel) unlinkLocked(c *Conn) {
	e := c.timer
	if e.due == 0 {
		return
	}
	if e.prev != nil {
		e.prev.timer.next = e.next
	} else {
		w.slots[e.level][e.slot] = e.next
	}
	if e.next != nil {
		e.next.timer.prev = e.prev
	}
	w.counts[e.level]--
	c.timer = wheelEntry{}
}

// setTimerLocked sets the timer for the next tick that has work.
func (w *wheel) setTimerLocked() {
	next := w.nextTickLocked()
	if next == 0 || w.wake != 0 && w.wake <= next {
		return
	}
	w.wake = next
	w.timer.Reset(time.Duration(next*int64(wheelTick) - w.clock.now()))
}

// nextTickLocked is the next tick with a connection due, or with a slot of a higher
// level to spread out; 0 when the wheel is empty.
func (w *wheel) nextTickLocked() int64 {
	if w.counts == [wheelLevels]int{} {
		return 0
	}
	border := (w.tick>>wheelBits + 1) << wheelBits
	if w.counts[0] == 0 {
		return border
	}
	tick := w.tick + 1
	for w.slots[0][uint8(tick)] == nil && tick < border {
		tick++
	}
	return tick
}

// run handles all ticks up to now.
func (w *wheel) run() {
	w.running.Lock()
	defer w.running.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wake = 0
	for !w.stopped {
		next := w.nextTickLocked()
		if next == 0 || next > w.clock.now()/int64(wheelTick) {
			break
		}
		due := w.advanceLocked(next)
		w.mu.Unlock()
		for _, c := range due {
			w.fire(c)
		}
		w.mu.Lock()
	}
	if !w.stopped {
		w.wake = 0
		w.setTimerLocked()
	}
}

// advanceLocked moves to a tick and takes out the connections due at it.
func (w *wheel) advanceLocked(tick int64) (due []*Conn) {
	for level := wheelLevels - 1; level > 0; level-- {
		if tick&(1<<(level*wheelBits)-1) != 0 {
			continue
		}
		slot := uint8(tick >> (level * wheelBits))
		for c := w.slots[level][slot]; c != nil; {
			next, at := c.timer.next, c.timer.due
			w.unlinkLocked(c)
			w.insertLocked(c, at, tick)
			c = next
		}
	}
	w.tick = tick
	for c := w.slots[0][uint8(tick)]; c != nil; c = w.slots[0][uint8(tick)] {
		w.unlinkLocked(c)
		due = append(due, c)
	}
	return due
}
