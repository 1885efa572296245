package websocket

import (
	"cmp"
	"runtime/debug"
	"slices"
)

// What waits for peers that read slowly is counted over all connections, where
// it waits: what a socket takes at once costs no count.

// ReasonSlow is what Handler.Closed is told, with CloseTryAgainLater, of a
// connection that was dropped because of what waited for its peer.
const ReasonSlow = "Reads too slowly"

// countQueueLocked has Engine.waiting know what waits for the peer, and sees to it
// that it is not too much.
func (c *Conn) countQueueLocked() {
	if c.out.held == c.out.counted {
		return
	}
	more := int64(c.out.held) - int64(c.out.counted)
	c.out.counted = c.out.held
	e := c.engine
	if e.waiting.Add(more) > e.options.QueueBudget && more > 0 && e.relieving.CompareAndSwap(false, true) {
		e.live.Add(1)
		go e.relieve()
	}
}

// relieve drops slow readers until the budget is kept, or nothing comes of it.
// What is added meanwhile starts no second one, and so counts here.
func (e *Engine) relieve() {
	defer e.live.Done()
	for {
		before := e.Waiting()
		e.DropSlow(e.options.QueueBudget / 4 * 3)
		inVain := e.Waiting() >= before
		debug.FreeOSMemory() // or what was dropped stays until as much again is in use
		e.relieving.Store(false)
		if inVain || e.Waiting() <= e.options.QueueBudget || !e.relieving.CompareAndSwap(false, true) {
			return
		}
	}
}

// Waiting is the memory, in bytes, that is used for what peers have not read.
func (e *Engine) Waiting() int64 { return e.waiting.Load() }

// DropSlow drops connections whose peers read slowly, until no more than most
// bytes of memory wait: first those for which much has waited for long.
// Handler.Closed gets CloseTryAgainLater and ReasonSlow. There is no close frame,
// which would wait behind the rest.
func (e *Engine) DropSlow(most int64) {
	type reader struct {
		conn   *Conn
		weight float64 // bytes by nanoseconds
	}
	var slow []reader
	now := e.clock.now()
	for _, c := range e.table.all() {
		c.mu.Lock()
		if c.out.counted > 0 {
			slow = append(slow, reader{c, float64(c.out.counted) * float64(now-c.out.progress+1)})
		}
		c.mu.Unlock()
	}
	slices.SortFunc(slow, func(a, b reader) int { return cmp.Compare(b.weight, a.weight) })
	for _, r := range slow {
		if e.waiting.Load() <= most {
			return
		}
		r.conn.dropSlow()
	}
}

// dropSlow drops a connection for which something waits.
func (c *Conn) dropSlow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.counted == 0 {
		return // it has read all of it meanwhile
	}
	if c.state == stateOpen {
		c.leaveOpenLocked(stateClosing, CloseTryAgainLater, ReasonSlow)
	}
	c.finishLocked()
}
