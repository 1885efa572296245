package websocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// ErrShutdown is Adopt's answer after Shutdown.
var ErrShutdown = errors.New("websocket: engine is shut down")

// Options of an engine, for all its connections together. The zero value is a good
// one: where a field is 0, what stands behind the colon holds.
type Options struct {
	Driver       Driver
	Loops        int           // event loops; 0: one for each processor, at most 4
	MemoryBudget int64         // memory for the messages of all connections, in bytes: what is unsent, not yet whole, waiting or in flight; see DropSlow for what happens past it; 0: 256 MiB
	InFlight     int           // messages of all connections that are not done, see Share; 0: 65536
	CloseTimeout time.Duration // for the peer to answer a close frame, and to hang up; 0: 5 s
	// AnswerTimeout is how long the answers to messages may take that came before
	// the peer's last frame; then the connection ends without them. 0: 1 s.
	AnswerTimeout time.Duration
	WriteTimeout  time.Duration // for a peer to take a byte of what is queued, before it is dropped; 0: 30 s
}

// Socket is a connection whose handshake is done but for the answer.
type Socket struct {
	Response []byte  // what to send first: the 101 response
	Buffered []byte  // what was already read past the request
	Limits   *Limits // nil: none
	Handler  Handler
	// Conn is a new one, for a Handler that has the Conn within itself: the two are one
	// piece of memory then. Nil: Adopt makes one.
	Conn *Conn
}

// Engine drives connections, from Adopt until they end, and ends all at Shutdown. A
// program makes one for each gateway with NewEngine, hands it every socket whose
// handshake is done, and calls Shutdown once at its end, which waits for all that the
// engine has started. All methods are safe for concurrent use.
//
// It has four parts: drivers read and write, a wheel watches over times, a dispatcher
// holds messages in flight within bounds, and a table knows the open connections.
type Engine struct {
	options    Options
	clock      clock
	wheel      *wheel
	table      table
	dispatcher dispatcher
	loops      []*loop
	tallies    [tallies]tally
	live       sync.WaitGroup // sockets, Closed calls, messages
	stop       sync.Once

	budget  budget
	holding sync.Mutex         // guards held
	held    map[*Conn]struct{} // those that HoldGreediest has stopped reading
}

// driver moves a connection's bytes. Methods that end in Locked are called with
// Conn.mu held, and don't block.
//
// For reading a driver claims the connection (claimReadingLocked), has what is left over
// decoded first (catchUp), hands over what it read (received), says when nothing more
// comes (readEnded), and ends the claim (releaseReading). It waits for the socket without
// the claim.
type driver interface {
	// start begins to write and read. It is called once, by Adopt.
	start(c *Conn, buffered []byte)
	// flushLocked writes what is queued and tells the connection how that went
	// (socketFullLocked, flushedLocked, writeFailedLocked), at once or later.
	flushLocked(c *Conn)
	// resumeLocked has the driver claim and read soon, as if something had come.
	resumeLocked(c *Conn)
	// closeLocked releases the socket, at once or soon, and then marks it done in
	// Engine.live.
	closeLocked(c *Conn)
}

// NewEngine starts an engine; Shutdown ends it. The error is that of the system when it
// gives no event loop.
func NewEngine(o Options) (*Engine, error) {
	if o.Loops <= 0 {
		o.Loops = min(runtime.GOMAXPROCS(0), 4)
	}
	if o.MemoryBudget <= 0 {
		o.MemoryBudget = 256 << 20
	}
	if o.InFlight <= 0 {
		o.InFlight = 1 << 16
	}
	if o.CloseTimeout <= 0 {
		o.CloseTimeout = 5 * time.Second
	}
	if o.AnswerTimeout <= 0 {
		o.AnswerTimeout = time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 30 * time.Second
	}
	e := &Engine{options: o, clock: clock{time.Now()}}
	e.dispatcher.limit, e.dispatcher.budget = o.InFlight, &e.budget
	e.budget.limit = o.MemoryBudget
	if o.Driver == DriverEventLoop || o.Driver == DriverAuto && haveLoops {
		if err := e.startLoops(); err != nil {
			return nil, err
		}
	}
	e.wheel = newWheel(e.clock, (*Conn).expire)
	return e, nil
}

const (
	loopBuffer   = 64 << 10 // bytes that an event loop reads at a time
	readsPerTurn = 4        // reads of one connection before the others have their turn
)

func newLoop(l *eventloop.Loop) *loop {
	made := &loop{Loop: l, buffer: make([]byte, loopBuffer)}
	made.resting.loop = made
	return made
}

func (e *Engine) startLoops() error {
	for range e.options.Loops {
		l, err := eventloop.New()
		if err != nil {
			e.stopLoops()
			return fmt.Errorf("websocket: start event loop: %w", err)
		}
		e.loops = append(e.loops, newLoop(l))
	}
	return nil
}

func (e *Engine) stopLoops() {
	for _, l := range e.loops {
		l.Close()
	}
}

// Adopt takes over a socket, whatever it returns: nc is closed in time, and
// for a plain TCP or Unix socket (or one found through NetConn methods, which
// must hold no bytes back), also below a *tls.Conn that is above a *netconn.Switch and
// done with its handshake, that may be at once, since the engine then works on
// a duplicate.
//
// Handler.Opened is called before Adopt returns, and before anything is
// written or read; what it sends goes out behind Response. Handler.Closed is
// called for every connection that was opened, a dead socket included. The
// error is ErrShutdown, with the Handler not called.
func (e *Engine) Adopt(nc net.Conn, s Socket) (*Conn, error) {
	now := e.clock.now()
	c := s.Conn
	if c == nil {
		c = new(Conn)
	}
	*c = Conn{engine: e, handler: s.Handler, limits: s.Limits, born: now, fd: -1}
	if c.limits == nil {
		c.limits = new(Limits)
	}
	c.active.Store(now)
	rest, ok := e.attach(c, nc, s.Response)
	if !ok {
		nc.Close()
		return nil, ErrShutdown
	}
	s.Handler.Opened(c)
	c.openedReturned()
	c.driver.start(c, append(slices.Clip(s.Buffered), rest...))
	return c, nil
}

// attach enters a connection in the table, picks the driver for its socket, and queues
// what is to be sent first. It returns what a TLS layer had read ahead, and false after
// Shutdown.
func (e *Engine) attach(c *Conn, nc net.Conn, response []byte) (rest []byte, ok bool) {
	c.mu.Lock() // Shutdown finds the connection in the table, but closes it with its driver only
	defer c.mu.Unlock()
	if !e.table.add(c, &e.live) {
		return nil, false
	}
	c.startPingsLocked()
	c.scheduleLocked()
	fd, layer, err := e.detach(c, nc)
	if err != nil {
		c.driver = newGoroutine(nc)
	} else {
		c.fd = int32(fd)
		c.driver = e.loops[fd%len(e.loops)]
	}
	switch {
	case layer != nil:
		layer.loop = e.loops[fd%len(e.loops)]
		c.driver = layer
		rest = layer.restLocked()
		c.countUnprocessedLocked()
		layer.sealLocked(response)
	case len(response) > 0:
		c.out.raw(response)
	}
	return rest, true
}

// detach takes the socket out of a connection for an event loop, if there are any, with
// the TLS layer above it, where there is one.
func (e *Engine) detach(c *Conn, nc net.Conn) (fd int, layer *secure, err error) {
	if len(e.loops) == 0 {
		return -1, nil, errors.ErrUnsupported
	}
	return detach(c, nc)
}

// Shutdown closes every connection with CloseGoingAway and waits until all
// sockets, Closed calls and messages are done, or ctx ends; then it drops what
// is left and returns ctx's error, and the event loops go on until all that is
// done. The handlers' calls are not interrupted. Sockets whose peer has not answered
// after a quarter of the time are dropped, so that three quarters are left for Closed.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.table.close()
	for _, c := range e.table.all() {
		c.Close(CloseGoingAway, "Going away")
	}
	done := make(chan struct{})
	go func() {
		e.live.Wait()
		close(done)
	}()
	quarter := ctx
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		quarter, cancel = context.WithTimeout(ctx, time.Until(deadline)/4)
		defer cancel()
	}
	select {
	case <-done:
	case <-quarter.Done():
		for _, c := range e.table.all() {
			c.Abort()
		}
	}
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	end := func() {
		e.stop.Do(func() {
			e.wheel.stop()
			e.stopLoops()
		})
	}
	if err != nil {
		go func() { // whoever handles a message still may need its loop for that
			<-done
			end()
		}()
		return err
	}
	end()
	e.budget.ended.Wait()
	return nil
}
