package websocket

import (
	"errors"
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
	all := c.catchUp()
	for reads := 0; all && reads < readsPerTurn; reads++ {
		n, err := l.readSocket(c)
		switch {
		case n > 0:
			if all = c.received(l.buffer[:n]); all && n < len(l.buffer) && !hungUp {
				return false
			}
		case err == nil:
			c.readEnded(true)
			return false
		case errors.Is(err, unix.EAGAIN), errors.Is(err, errNotReading):
			return false
		case !errors.Is(err, unix.EINTR):
			c.readEnded(false)
			return false
		}
	}
	return true
}

// errNotReading says that the connection isn't to be read now.
var errNotReading = errors.New("not reading")

func (l *loop) readSocket(c *Conn) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.mayReadLocked() {
		return 0, errNotReading // the end of a stop has the event repeated
	}
	return unix.Read(int(c.fd), l.buffer)
}

func (l *loop) start(c *Conn, buffered []byte) {
	c.mu.Lock()
	c.started, c.reading = true, true
	l.flushLocked(c)
	c.mu.Unlock()
	all := c.received(buffered)
	c.releaseReading(!all)
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
	if c.flushedLocked() {
		unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
}

// resumeLocked has the kernel repeat the event, where there is something to read. What
// was read already makes no event: it gets a goroutine.
func (l *loop) resumeLocked(c *Conn) {
	switch {
	case c.state == stateClosed:
	case c.undecoded != nil:
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
	if claimed { // or else whoever has the claim catches up
		c.catchUp()
		c.releaseReading(true)
	}
}

func (l *loop) closeLocked(c *Conn) {
	if c.started {
		_ = l.control(unix.EPOLL_CTL_DEL, c) // a forked child may hold the socket open for a moment
	}
	unix.Close(int(c.fd))
	c.engine.live.Done()
}

func (l *loop) control(op int, c *Conn) error {
	return unix.EpollCtl(l.fd, op, int(c.fd), &unix.EpollEvent{
		Events: watched,
		Fd:     int32(c.slot),
		Pad:    int32(c.serial),
	})
}
