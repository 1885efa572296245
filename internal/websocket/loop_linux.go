package websocket

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

const haveLoops = true

// loop drives connections on an event loop. It reads and decodes for them there and nowhere else, so that their messages
// are started there; it writes from wherever something is sent.
type loop struct {
	*eventloop.Loop
	buffer  []byte // for what is read; not the loop's own, since messages begin while it is decoded
	resting resting
}

// watched is a Conn as its event loop sees it.
type watched Conn

// Ready implements eventloop.Watcher.
func (w *watched) Ready(events eventloop.Events) {
	c := (*Conn)(w)
	c.looped().handle(c, events)
}

// handle does what one event asks for.
func (l *loop) handle(c *Conn, events eventloop.Events) {
	c.mu.Lock()
	if events&(eventloop.Writable|eventloop.HungUp) != 0 && c.out.head != nil {
		l.flushLocked(c)
	}
	claimed := c.claimReadingLocked()
	c.mu.Unlock()
	if !claimed {
		return // whoever has the claim, or ends the stop, has the event repeated
	}
	again := false
	if events&(eventloop.Readable|eventloop.HungUp) != 0 || c.undecoded != nil {
		again = l.read(c, events&eventloop.HungUp != 0)
	}
	c.releaseReading(again)
}

// read takes what the socket holds, and no more than a turn. It reports whether
// there may be more, so that the event has to be repeated. After a short read there
// is nothing more, unless the peer has hung up.
func (l *loop) read(c *Conn, hungUp bool) (again bool) {
	all, most := c.catchUp(), readsPerTurn
	if c.secure() != nil {
		most = secureReadsPerTurn
	}
	for reads := 0; all && reads < most; reads++ {
		n, short, err := l.readSocket(c)
		switch {
		case err == nil:
			if all = c.received(l.buffer[:n]); all && short && !hungUp {
				return false
			}
		case errors.Is(err, unix.EAGAIN), errors.Is(err, errNotReading):
			return false
		case !errors.Is(err, unix.EINTR):
			c.readEnded(inOrder(err))
			return false
		}
	}
	return true
}

// errNotReading says that the connection isn't to be read now.
var errNotReading = errors.New("not reading")

// readSocket reads into the loop's buffer. After a short read the socket holds no more,
// but its end perhaps.
func (l *loop) readSocket(c *Conn) (n int, short bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.mayReadLocked() {
		return 0, false, errNotReading // the end of a stop has the event repeated
	}
	if s := c.secure(); s != nil {
		return s.readLocked()
	}
	if n, err = eventloop.Read(int(c.fd), l.buffer); n == 0 && err == nil {
		err = io.EOF
	}
	return n, n < len(l.buffer), err
}

// readLocked is readSocket of a connection with TLS. What it reads may decrypt to
// nothing, or end the stream by itself.
func (s *secure) readLocked() (n int, short bool, err error) {
	if s.failed != nil {
		return 0, false, s.failed
	}
	b := newBuffer(secureRead)
	defer b.free()
	read, err := eventloop.Read(int(s.conn.fd), b.data[:secureRead])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, false, err
	case err != nil:
		s.failed = err
		return 0, false, err
	case read == 0:
		n, _ = s.openLocked(s.buffer, nil, io.EOF)
	default:
		n, _ = s.openLocked(s.buffer, b.data[:read], errDrained)
	}
	if n == 0 {
		err = s.failed
	}
	return n, read < secureRead && s.failed == nil, err // what has failed is told of next
}

func (l *loop) start(c *Conn, buffered []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	if len(buffered) > 0 && !c.ignoresInputLocked() {
		c.undecoded = newBuffer(len(buffered))
		c.undecoded.data = append(c.undecoded.data, buffered...)
		c.countUnprocessedLocked()
	}
	l.flushLocked(c)
	if c.state == stateClosed {
		return
	}
	var err error
	if c.watch, err = l.Watch(int(c.fd), (*watched)(c)); err != nil {
		c.finishLocked()
		return
	}
	if c.undecoded != nil || c.secure().endedLocked() != nil {
		l.resumeLocked(c)
	}
}

func (l *loop) flushLocked(c *Conn) {
	if !c.started || c.state == stateClosed {
		return
	}
	moved := c.out.progress == 0
	for p := c.out.next(); len(p) > 0; p = c.out.next() {
		n, err := eventloop.Write(int(c.fd), p)
		switch {
		case n > 0:
			c.out.advance(n)
			moved = true
		case errors.Is(err, unix.EAGAIN):
			if moved {
				c.out.fit()
				c.socketFullLocked()
			}
			return
		case !errors.Is(err, unix.EINTR):
			c.writeFailedLocked()
			return
		}
	}
	c.countQueueLocked()
	if s := c.secure(); s != nil && s.broken {
		c.writeFailedLocked()
		return
	}
	if c.flushedLocked() {
		unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
}

// resumeLocked has the kernel repeat the event, where there is something to read. What
// was read already makes no event.
func (l *loop) resumeLocked(c *Conn) {
	switch {
	case c.state == stateClosed:
	case c.undecoded != nil, c.secure().endedLocked() != nil: // of which no event tells any more
		c.catchingUp = c.catchingUp || l.Post(func() { l.catchUp(c) })
	default:
		_ = l.Again(int(c.fd), c.watch) // fails before start has it watched, which then tells of the edges
	}
}

// catchUp is a turn without a read.
func (l *loop) catchUp(c *Conn) {
	c.mu.Lock()
	c.catchingUp = false
	claimed := c.claimReadingLocked()
	c.mu.Unlock()
	if !claimed {
		return // whoever has the claim catches up
	}
	if c.catchUp() {
		if err := c.streamEnded(); err != nil {
			c.readEnded(inOrder(err))
		}
	}
	c.releaseReading(true)
}

func (l *loop) closeLocked(c *Conn) {
	if c.started {
		l.Unwatch(int(c.fd), c.watch)
	}
	unix.Close(int(c.fd))
	c.engine.live.Done()
}

// closeLocked has the peer know, as far as its socket takes that, that what it got was
// all, before the socket is released.
func (s *secure) closeLocked(c *Conn) {
	if !c.writeEnded {
		s.endLocked()
		if alert := c.out.next(); len(alert) > 0 {
			_, _ = unix.Write(int(c.fd), alert)
		}
		c.out.drop()
	}
	s.layer.close()
	s.layer = nil // of a connection that its handler may keep
	s.loop.closeLocked(c)
}
