package websocket

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"
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

// state of a connection; it only goes up.
type state uint8

const (
	stateOpen     state = iota
	stateEnding         // the peer's last frame was read; answers to those before it are awaited
	stateClosing        // our close frame is queued, the peer's is awaited
	stateDraining       // no frame is awaited: flush, then wait for the peer to hang up
	stateClosed         // the socket is released
)

// Conn is one connection. All methods are safe for concurrent use, and none
// blocks.
type Conn struct {
	engine  *Engine
	handler Handler
	limits  *Limits
	driver  driver
	born    int64         // on the engine's clock, as all times here
	active  atomic.Int64  // last data in either direction
	timer   wheelEntry    // guarded by wheel.mu
	heard   atomic.Uint32 // bytes from the peer since HoldGreediest looked

	// Of the goroutine that has set reading.
	decoder *decoder // nil between messages
	rest    *buffer  // read but not decoded, because reading paused or the turn was over
	control uint32   // when the peer's control frames will be forgotten, in milliseconds of the clock

	mu       sync.Mutex // guards what follows
	out      queue
	pending  *message // whole, but waits for Limits.InFlight
	reason   string   // with code: how the connection ended; set once not stateOpen
	deadline int64    // when the socket is dropped come what may; 0: none
	ping     int64    // when the next ping is due; 0: never
	inFlight int32    // messages handed to the dispatcher
	code     uint16
	state    state
	ready    bool // Opened has returned
	started  bool // the driver has begun
	reading  bool // some goroutine reads or decodes
	paused   bool // nothing is read, since a message waits
	held     bool // nothing is read, since the peer sends too much
	resumed  bool // a pause has ended while reading was set
	reported bool // Closed was or is being called
	broken   bool // writing failed
	ended    bool // the peer has hung up, but there is something left to flush
	hungUp   bool // our side of the socket is shut

	slot   uint32 // in the engine's table
	serial uint32 // tells this connection from others that had the slot
	fd     int32  // of the event loop
}

// Send queues one message and writes what the socket takes at once. The
// payload is copied. It answers ErrClosed or ErrQueueFull. A message of up to
// 1 GiB fits an empty queue.
func (c *Conn) Send(op Opcode, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state > stateEnding || c.broken {
		return ErrClosed
	}
	if len(payload) > maxPayload || c.overfull(len(payload)) {
		return ErrQueueFull
	}
	c.active.Store(c.engine.clock.now())
	c.write(byte(op), payload)
	if c.state == stateClosed || c.broken {
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
	c.beginClose(code, reason)
}

// Abort drops the socket at once. Handler.Closed gets CloseAbnormal, unless
// the connection was closing already.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish()
}

// LastActive is when data last went in either direction; at first, when the
// connection was opened. Pings and pongs don't count.
func (c *Conn) LastActive() time.Time { return c.engine.clock.at(c.active.Load()) }

// overfull says whether a frame with that payload has no place in the queue.
func (c *Conn) overfull(payload int) bool {
	limit := c.limits.QueueBytes
	if limit <= 0 {
		limit = defaultQueueBytes
	}
	return c.out.head != nil && int(c.out.held)+c.out.growth(headerSize(payload)+payload) > limit
}

// write queues a frame and pushes.
func (c *Conn) write(op byte, payload []byte) {
	c.out.frame(op, payload)
	c.push()
}

// push writes what is queued. Where the socket is known to be full, more waits:
// that is counted.
func (c *Conn) push() {
	if c.out.progress == 0 {
		c.driver.flush(c)
	} else {
		c.account()
	}
}

// beginClose is Close with c.mu held.
func (c *Conn) beginClose(code int, reason string) {
	if c.state != stateOpen {
		return
	}
	reason = cutReason(reason)
	c.state, c.code, c.reason = stateClosing, uint16(code), reason
	c.setDeadline()
	if !c.broken {
		c.write(opClose, closePayload(code, reason))
	}
	c.letGoLocked()
	c.unpause()
}

// drain ends the protocol: there is nothing more to be said or heard. What is
// queued still goes out, then our side is shut and the peer is given until the
// deadline to hang up, so that no reset overtakes the close frame.
func (c *Conn) drain() {
	c.state = stateDraining
	c.report()
	c.setDeadline()
	if c.broken {
		c.finish()
		return
	}
	c.push()
	c.unpause()
}

// finish releases the socket, however far the connection has come.
func (c *Conn) finish() {
	if c.state == stateClosed {
		return
	}
	if c.state == stateOpen {
		c.code, c.reason = CloseAbnormal, ""
	}
	c.state = stateClosed
	c.report()
	c.out.drop()
	c.account()
	c.engine.wheel.remove(c)
	c.engine.table.remove(c)
	c.driver.close(c)
}

// opened takes in that Handler.Opened has returned.
func (c *Conn) opened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	if c.state >= stateDraining {
		c.report()
	}
}

// report has Handler.Closed called, once, but not while Opened is; Adopt then
// comes back to it.
func (c *Conn) report() {
	if c.reported || !c.ready {
		return
	}
	c.reported = true
	code, reason := int(c.code), c.reason
	go func() {
		defer c.engine.live.Done()
		c.handler.Closed(c, code, reason)
	}()
}

// writeFailed takes in that the socket accepts nothing any more. What the peer
// sent before it went away, a close frame perhaps, is still read.
func (c *Conn) writeFailed() {
	c.out.drop()
	c.account()
	c.broken = true
	if c.state != stateOpen {
		c.finish()
		return
	}
	if !c.paused {
		c.setDeadline()
	}
}

// flushed takes in that the queue is empty. It says whether our side of the
// socket is to be shut now.
func (c *Conn) flushed() (shut bool) {
	if c.state != stateDraining || c.hungUp {
		return false
	}
	if c.ended {
		c.finish()
		return false
	}
	c.hungUp = true
	return true
}

// readEnded takes in that there is nothing more to read: the peer hung up in
// good order, or the socket failed.
func (c *Conn) readEnded(inOrder bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if inOrder && (c.state == stateEnding || c.state == stateDraining && c.out.head != nil) {
		c.ended = true
		return
	}
	c.finish()
}

// setDeadline gives the connection the close timeout from now, and no longer.
func (c *Conn) setDeadline() { c.deadlineIn(c.engine.options.CloseTimeout) }

func (c *Conn) deadlineIn(d time.Duration) {
	c.deadline = c.engine.clock.now() + int64(d)
	c.arm()
}

// blocked notes that the socket took what it could, and has it watched whether
// it takes more in time.
func (c *Conn) blocked() {
	c.out.progress = c.engine.clock.now()
	c.account()
	c.arm()
}

// arm puts the connection into the wheel for the next time that matters.
func (c *Conn) arm() {
	if next := c.due(); next != math.MaxInt64 {
		c.engine.wheel.schedule(c, next)
	}
}

// due is the next time that something has to be done about the connection.
func (c *Conn) due() int64 {
	next := int64(math.MaxInt64)
	if c.state == stateClosed {
		return next
	}
	if c.state == stateOpen {
		if c.ping != 0 {
			next = c.ping
		}
		if c.limits.Idle > 0 {
			next = min(next, c.active.Load()+int64(c.limits.Idle))
		}
		if c.limits.Lifetime > 0 {
			next = min(next, c.born+int64(c.limits.Lifetime))
		}
	}
	if c.deadline != 0 {
		next = min(next, c.deadline)
	}
	if c.out.progress != 0 {
		next = min(next, c.out.progress+int64(c.engine.options.WriteTimeout))
	}
	return next
}

// expire is called by the wheel: some time of the connection may have come.
func (c *Conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.engine.clock.now()
	if c.ping != 0 && now >= c.ping {
		c.keepAlive(now)
	}
	if now >= c.due() {
		stalled := c.out.progress != 0 && now >= c.out.progress+int64(c.engine.options.WriteTimeout)
		switch {
		case stalled:
			c.finish()
		case c.deadline == 0 || now < c.deadline:
			c.beginClose(CloseGoingAway, "Going away")
		case c.state == stateEnding:
			c.lastWord()
		default:
			c.finish()
		}
	}
	c.arm()
}
