package websocket

import (
	"cmp"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Reasons that Handler.Closed is told, with CloseTryAgainLater, of a connection that was
// dropped because the memory for it was needed.
const (
	ReasonSlow        = "Reads too slowly"          // much waited to be sent to the peer
	ReasonUnprocessed = "Too much unprocessed data" // much came that was no whole message, or had to wait for the handler
)

// budget counts the memory that the messages of all connections take, in bytes, as it is
// held and not as it is used. Three kinds are counted:
//
//   - what is queued for a peer whose socket is full; what a socket takes at once is not;
//   - what has come from a peer and is not with the handler: the message that is not
//     whole, bytes that are not decoded, and a whole message that waits;
//   - messages in flight: those with the handler.
//
// Of what comes, buffers of the smallest size don't count: they take no more than the
// goroutine or the connection that they belong to, so that a small message costs no count.
//
// Messages in flight can't be taken away from the handler. They get half of the budget;
// beyond that messages wait, and whose message waits is not read (dispatcher). What waits
// in one way or the other belongs to connections that can be dropped, and past the
// budget those are dropped for which much has waited for long.
type budget struct {
	_        [64]byte // what follows is read for every turn, and seldom written
	limit    int64
	waiting  atomic.Int64 // of the first two kinds
	unsent   atomic.Int64 // of the first kind
	inFlight atomic.Int64 // of the third; written with dispatcher.mu held
	vain     atomic.Int64 // on the engine's clock: until then nothing is dropped, since there was nothing to drop
	_        [64]byte

	relief    sync.Mutex     // held by the one that drops
	relieving atomic.Bool    // relieveSoon's goroutine runs
	dropped   atomic.Bool    // since memory was given back to the system
	ended     sync.WaitGroup // relieveSoon's goroutine
}

// pauseInVain is how long nothing is dropped after there was nothing to drop.
const pauseInVain = 100 * time.Millisecond

// used is what counts against the limit.
func (b *budget) used() int64 { return b.waiting.Load() + b.inFlight.Load() }

// countedSize is what a buffer with incoming bytes counts.
func countedSize(b *buffer) uint32 {
	if b == nil || cap(b.data) <= smallestBuffer {
		return 0
	}
	return uint32(min(cap(b.data), math.MaxUint32))
}

// countQueueLocked has the budget know what waits for the peer.
func (c *Conn) countQueueLocked() {
	if c.out.held == c.out.counted {
		return
	}
	more := int64(c.out.held) - int64(c.out.counted)
	c.out.counted = c.out.held
	e := c.engine
	e.budget.waiting.Add(more)
	e.budget.unsent.Add(more)
	if more > 0 && e.overBudget() {
		e.relieveSoon() // not here, since relief takes the locks of connections
	}
}

// countUnprocessedLocked has the budget know what has come and is not with the handler.
// Nobody has the claim.
func (c *Conn) countUnprocessedLocked() {
	held := uint64(countedSize(c.undecoded))
	if c.decoder != nil {
		held += uint64(countedSize(c.decoder.payload))
	}
	if s := c.secure(); s != nil && c.state != stateClosed {
		held += uint64(s.heldLocked())
	}
	if c.waiting != nil {
		held += uint64(c.waiting.memory)
	}
	now := uint32(min(held, math.MaxUint32))
	if now > 0 && (c.unprocessed == 0 || c.progressed) {
		c.unprocessedSince = c.engine.clock.milliseconds()
	}
	c.progressed = false
	if now != c.unprocessed {
		c.engine.budget.waiting.Add(int64(now) - int64(c.unprocessed))
		c.unprocessed = now
	}
}

// Waiting is the memory, in bytes, that is used for what waits: to be read by peers, to
// be made whole by them, or to be handled. It is what DropSlow can give back.
func (e *Engine) Waiting() int64 { return e.budget.waiting.Load() }

// MemoryInUse is the memory, in bytes, that counts against Options.MemoryBudget: what
// waits, and messages in flight.
func (e *Engine) MemoryInUse() int64 { return e.budget.used() }

// overBudget reports whether something has to be dropped.
func (e *Engine) overBudget() bool {
	b := &e.budget
	return b.used() > b.limit && e.clock.now() >= b.vain.Load()
}

// keepBudget drops connections until the budget is kept. Those who read call it: who
// brings the memory past its budget does not go on before it is below, and neither do
// the others. The caller holds no lock.
func (e *Engine) keepBudget() {
	if e.overBudget() {
		e.relieve()
		e.relieveSoon()
	}
}

// relieveSoon has a goroutine keep the budget, and give back to the system what was
// dropped: else it stays until as much again is in use.
func (e *Engine) relieveSoon() {
	b := &e.budget
	if !b.relieving.CompareAndSwap(false, true) {
		return
	}
	b.ended.Go(func() {
		for {
			e.relieve()
			if b.dropped.Swap(false) {
				debug.FreeOSMemory()
			}
			b.relieving.Store(false)
			if !e.overBudget() || !b.relieving.CompareAndSwap(false, true) {
				return
			}
		}
	})
}

// relieve drops connections where the budget is not kept, until a quarter of it is free.
func (e *Engine) relieve() {
	b := &e.budget
	b.relief.Lock()
	defer b.relief.Unlock()
	if !e.overBudget() {
		return // somebody else saw to it
	}
	before := b.waiting.Load()
	e.DropSlow(max(b.limit/4*3-b.inFlight.Load(), 0))
	if b.waiting.Load() < before {
		b.dropped.Store(true)
	} else {
		b.vain.Store(e.clock.now() + int64(pauseInVain))
	}
}

// DropSlow drops connections whose peers read slowly, or have sent much that isn't
// handled, until no more than most bytes of memory wait (Waiting): first those for which
// much has waited for long. Handler.Closed gets CloseTryAgainLater, and ReasonSlow or
// ReasonUnprocessed. There is no close frame for those who read slowly: it would wait
// behind the rest.
func (e *Engine) DropSlow(most int64) {
	type holder struct {
		conn   *Conn
		weight float64 // bytes by nanoseconds
	}
	var holders []holder
	for _, c := range e.table.all() {
		c.mu.Lock()
		if weight := c.weightLocked(); weight > 0 {
			holders = append(holders, holder{c, weight})
		}
		c.mu.Unlock()
	}
	slices.SortFunc(holders, func(a, b holder) int { return cmp.Compare(b.weight, a.weight) })
	for _, h := range holders {
		if e.budget.waiting.Load() <= most {
			return
		}
		h.conn.drop()
	}
}

// weightLocked is what waits for the connection, in bytes by the nanoseconds that they
// have waited.
func (c *Conn) weightLocked() (weight float64) {
	if c.out.counted > 0 {
		weight = float64(c.out.counted) * float64(c.engine.clock.now()-c.out.progress+1)
	}
	if c.unprocessed > 0 {
		age := c.engine.clock.milliseconds() - c.unprocessedSince
		weight += float64(c.unprocessed) * (float64(age)*1e6 + 1)
	}
	return weight
}

// drop ends a connection for which something waits.
func (c *Conn) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	slow := c.out.counted >= c.unprocessed
	switch {
	case c.out.counted == 0 && c.unprocessed == 0:
		return // all of it is gone meanwhile
	case c.state != stateOpen:
		c.finishLocked()
	case slow || c.out.progress != 0 || c.writeEnded:
		reason := ReasonUnprocessed
		if slow {
			reason = ReasonSlow
		}
		c.leaveOpenLocked(stateClosing, CloseTryAgainLater, reason)
		c.finishLocked()
	default:
		c.leaveOpenLocked(stateEnding, CloseTryAgainLater, ReasonUnprocessed)
		c.sendLastFrameLocked()
	}
	c.dropWaitingLocked()
	if !c.reading { // or else releaseReading does so
		c.dropInputLocked()
		c.countUnprocessedLocked()
	}
}

// dropWaitingLocked frees the message that waits for the handler, which never gets it. The
// connection is not open any more.
func (c *Conn) dropWaitingLocked() {
	switch m := c.waiting; {
	case m == nil:
	case m.submitted:
		c.engine.dispatcher.discard(m)
	default:
		c.waiting = nil
		m.free()
		c.engine.live.Done()
	}
}
