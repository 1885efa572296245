package websocket

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const haveLoops = true

const (
	loopBuffer   = 64 << 10 // bytes of one read; one buffer serves all connections of a loop
	loopBatch    = 256      // events taken at a time
	readsPerTurn = 4        // reads of one connection before the others have their turn
)

// watched is what every socket is registered for, once: edges only, so that
// neither pausing nor waiting for room to write needs a system call. To be
// told again of an edge that was ignored, the registration is renewed.
const watched = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

const hangup = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// loop reads and writes many sockets in one goroutine. Its epoll descriptor is
// itself watched by Go's poller, so that waiting blocks no thread.
type loop struct {
	table  *table
	poll   *os.File
	raw    syscall.RawConn
	fd     int
	buffer []byte
	events [loopBatch]unix.EpollEvent
	pulse  *pulse
	done   chan struct{}
}

func newLoop(t *table) (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// NewFile hands a descriptor to Go's poller only if it doesn't block.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	poll := os.NewFile(uintptr(fd), "epoll")
	raw, err := poll.SyscallConn()
	if err != nil {
		poll.Close()
		return nil, err
	}
	pulse, err := newPulse(fd)
	if err != nil {
		poll.Close()
		return nil, err
	}
	l := &loop{table: t, poll: poll, raw: raw, fd: fd, buffer: make([]byte, loopBuffer), pulse: pulse, done: make(chan struct{})}
	go l.run()
	return l, nil
}

// stop ends the loop and waits for it.
func (l *loop) stop() {
	l.poll.Close()
	<-l.done
	l.pulse.close()
}

func (l *loop) run() {
	defer close(l.done)
	n := 0
	poll := func(fd uintptr) bool {
		var err error
		n, err = unix.EpollWait(int(fd), l.events[:], 0)
		return n > 0 || err != nil
	}
	for l.raw.Read(poll) == nil {
		for _, ev := range l.events[:max(n, 0)] {
			if ev.Fd == pulseSlot {
				l.pulse.answer()
			} else if c := l.table.get(uint32(ev.Fd), uint32(ev.Pad)); c != nil {
				l.handle(c, ev.Events)
			}
		}
	}
}

// handle does what one event asks for.
func (l *loop) handle(c *Conn, events uint32) {
	c.mu.Lock()
	if events&(unix.EPOLLOUT|hangup) != 0 && c.out.head != nil {
		l.flushLocked(c)
	}
	claimed := c.claimReadingLocked()
	c.mu.Unlock()
	if !claimed {
		return // whoever has the claim, or ends the stop, has the event repeated
	}
	again := false
	if events&(unix.EPOLLIN|hangup) != 0 || c.undecoded != nil {
		again = l.read(c, events&hangup != 0)
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
	if n, err = unix.Read(int(c.fd), l.buffer); n == 0 && err == nil {
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
	read, err := unix.Read(int(s.conn.fd), b.data[:secureRead])
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
	c.started, c.reading = true, true
	l.flushLocked(c)
	c.mu.Unlock()
	all := c.received(buffered)
	c.releaseReading(!all || c.streamEnded() != nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateClosed {
		return
	}
	if err := l.control(unix.EPOLL_CTL_ADD, c); err != nil {
		c.finishLocked()
	}
}

func (l *loop) flushLocked(c *Conn) {
	if !c.started || c.state == stateClosed {
		return
	}
	moved := c.out.progress == 0
	for p := c.out.next(); len(p) > 0; p = c.out.next() {
		n, err := unix.Write(int(c.fd), p)
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
// was read already makes no event: it gets a goroutine.
func (l *loop) resumeLocked(c *Conn) {
	switch {
	case c.state == stateClosed:
	case c.undecoded != nil, c.secure().endedLocked() != nil: // of which no event tells any more
		c.engine.live.Add(1)
		go l.catchUp(c)
	default:
		_ = l.control(unix.EPOLL_CTL_MOD, c) // fails before start has added it, which then tells of the edges
	}
}

// catchUp is a turn without a read.
func (l *loop) catchUp(c *Conn) {
	defer c.engine.live.Done()
	c.mu.Lock()
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
		_ = l.control(unix.EPOLL_CTL_DEL, c) // a forked child may hold the socket open for a moment
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
	s.layer, s.kept = nil, recordBuffers{} // of a connection that its handler may keep
	s.loop.closeLocked(c)
}

func (l *loop) control(op int, c *Conn) error {
	return unix.EpollCtl(l.fd, op, int(c.fd), &unix.EpollEvent{
		Events: watched,
		Fd:     int32(c.slot),
		Pad:    int32(c.serial),
	})
}
