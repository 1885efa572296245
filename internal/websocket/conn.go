package websocket

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// Errors of Conn.Send.
var (
	// ErrClosed says that the connection has ended or is about to.
	ErrClosed = errors.New("websocket: connection closed")
	// ErrQueueFull says that the peer reads too slowly: what waits to be sent
	// takes Limits.QueueBytes of memory. The message was not queued.
	ErrQueueFull = errors.New("websocket: write queue full")
)

// Defaults of Limits.
const (
	defaultInFlight   = 16
	defaultQueueBytes = 1 << 20
)

// maxPayload is the largest payload that is sent.
const maxPayload = 1 << 30

// Conn is one connection: a socket whose opening handshake is done, from
// Engine.Adopt until Handler.Closed has returned.
//
// Adopt makes it and hands it to Handler.Opened; from then on whoever has it may
// call its methods, from any goroutine and at any time, after its end as well.
// None of them blocks: Send queues and returns, Close and Abort begin the end and
// return. Handler.Closed is told of the end once, whoever caused it: Close,
// Abort, the peer, the socket, a limit, or Engine.Shutdown. The package comment
// draws the states on the way there.
//
// The engine calls the connection from four sides: its driver when there may be
// something to read or room to write, its wheel when a time has come, its
// dispatcher when a message that waited is begun and when one is done, and itself to hold, drop or shut
// down connections. All of them take mu; what belongs to the goroutine that reads
// is taken by a claim (reading.go).
//
// The caller owes nothing at the end: a connection that nobody closes is ended by
// its limits, by its peer or by Shutdown. It may keep a Conn as long as it likes,
// which costs some 240 bytes once the connection is closed.
type Conn struct {
	engine  *Engine
	handler Handler
	limits  *Limits
	driver  driver
	born    int64                   // on the engine's clock, as all times here
	active  atomic.Int64            // last data in either direction
	timer   eventloop.Place[*timed] // guarded by wheel.mu
	bytesIn atomic.Uint32           // bytes from the peer since HoldGreediest looked

	// Of the goroutine that has the claim; nobody's while nobody has it.
	controlAhead uint32   // see flooded, which alone uses it
	decoder      *decoder // nil between messages
	undecoded    *buffer  // read from the socket; nil: nothing

	mu         sync.Mutex // guards what follows
	out        queue
	waiting    *Message // whole, but the handler can't have it yet: nothing is read meanwhile; nil: none
	end        *ending  // nil while it is open
	deadline   int64    // when the socket is dropped come what may; 0: none
	ping       int64    // when the next ping is due; 0: never
	inFlight   int32    // messages handed to the dispatcher that are not done
	state      state
	openedDone bool // Handler.Opened has returned
	reported   bool // Handler.Closed was or is being called
	started    bool // the driver has begun
	reading    bool // some goroutine has the claim
	held       bool // HoldGreediest has stopped reading
	resumeDue  bool // a stop has ended while reading was set
	catchingUp bool // the loop's catchUp is posted
	peerHungUp bool // nothing more comes, but there is something left to answer or to write
	writeEnded bool // writing failed: nothing more is sent
	writeShut  bool // our side of the socket is shut
	progressed bool // of the claim: a message has become whole since unprocessed was counted

	unprocessed      uint32 // what the budget has counted of input that is not with the handler, in bytes
	unprocessedSince uint32 // on the clock, in milliseconds

	slot   uint32 // in the engine's table
	serial uint32 // tells this connection from others that had the slot
	fd     int32  // of the event loop
	watch  eventloop.Watch
}

// loop is the event loop that drives the connection; nil: a goroutine does.
func (c *Conn) loop() *eventloop.Loop {
	if l := c.looped(); l != nil {
		return l.Loop
	}
	return nil
}

// looped is the loop as a driver; nil: a goroutine drives the connection.
func (c *Conn) looped() *loop {
	switch d := c.driver.(type) {
	case *loop:
		return d
	case *secure:
		return d.loop
	}
	return nil
}

// Send queues one message and writes what the socket takes at once. The
// payload is copied. It returns ErrClosed or ErrQueueFull, and queues nothing
// then. A message of up to 1 GiB fits an empty queue.
func (c *Conn) Send(op Opcode, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state > stateEnding || c.writeEnded {
		return ErrClosed
	}
	if len(payload) > maxPayload || c.queueFullLocked(len(payload)) && !c.roomLocked(len(payload)) {
		return ErrQueueFull
	}
	if c.state == stateClosed || c.writeEnded {
		return ErrClosed // which was found when room was made
	}
	c.active.Store(c.engine.clock.now())
	c.writeLocked(byte(op), payload)
	if c.state == stateClosed || c.writeEnded {
		return ErrClosed
	}
	return nil
}

// Close starts the close handshake: a close frame goes out behind what is
// queued, and the socket is dropped when the peer has answered or
// Options.CloseTimeout is over. Handler.Closed then gets this code and reason.
// It does nothing when the connection is closing already. A reason beyond 123
// bytes is cut; a code that must not be sent (RFC 6455, section 7.4) makes the
// close frame an empty one.
func (c *Conn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

// Abort drops the socket at once. Handler.Closed gets CloseAbnormal, unless
// the connection was closing already.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finishLocked()
}

// LastActive is when data last went in either direction; at first, when the
// connection was opened. Pings and pongs don't count.
func (c *Conn) LastActive() time.Time { return c.engine.clock.at(c.active.Load()) }

// queueFullLocked reports whether a frame with that payload has no place in the
// queue.
func (c *Conn) queueFullLocked(payload int) bool {
	return c.out.head != nil && int(c.out.held)+c.out.growth(c.wireSize(payload)) > c.queueLimit()
}

// roomLocked makes room for a frame with that payload, where the socket takes something
// again and the driver has not come to it yet. It reports whether it could.
func (c *Conn) roomLocked(payload int) bool {
	c.driver.flushLocked(c)
	return !c.queueFullLocked(payload)
}

// answerFitsLocked reports whether the queue has room for an answer of the TLS layer.
func (c *Conn) answerFitsLocked(size int) bool {
	return c.out.head == nil || int(c.out.held)+c.out.growth(size) <= c.queueLimit()
}

func (c *Conn) queueLimit() int {
	if c.limits.QueueBytes <= 0 {
		return defaultQueueBytes
	}
	return c.limits.QueueBytes
}

// wireSize is about how many bytes go to the peer for a frame with that payload.
func (c *Conn) wireSize(payload int) int {
	size := headerSize(payload) + payload
	if s := c.secure(); s != nil && s.layer != nil {
		size = s.layer.sealedSize(size)
	}
	return size
}

// frameLocked queues a frame.
func (c *Conn) frameLocked(op byte, payload []byte) {
	c.countSent(len(payload))
	if s := c.secure(); s != nil {
		s.frameLocked(op, payload)
	} else {
		c.out.frame(op, payload)
	}
}

// writeLocked queues a frame and writes.
func (c *Conn) writeLocked(op byte, payload []byte) {
	c.frameLocked(op, payload)
	c.flushLocked()
}

// flushLocked writes what is queued. Where the socket is known to be full, it
// only counts what waits.
func (c *Conn) flushLocked() {
	if c.out.progress == 0 {
		c.driver.flushLocked(c)
	} else {
		c.countQueueLocked()
	}
}
