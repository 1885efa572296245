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
		l.flush(c)
	}
	claimed := c.claim()
	c.mu.Unlock()
	if !claimed {
		return // whoever has the claim, or ends the pause, has the event repeated
	}
	if events&(unix.EPOLLIN|hangup) != 0 || c.rest != nil {
		l.read(c, events&hangup != 0)
	}
	c.release()
}

// read takes what the socket holds, and no more than a turn. After a short read
// there is nothing more, unless the peer has hung up.
func (l *loop) read(c *Conn, hungUp bool) {
	all := c.catchUp()
	for reads := 0; all && reads < readsPerTurn; reads++ {
		n, err := l.readSocket(c)
		switch {
		case n > 0:
			if all = c.received(l.buffer[:n]); all && n < len(l.buffer) && !hungUp {
				return
			}
		case err == nil:
			c.readEnded(true)
			return
		case errors.Is(err, unix.EAGAIN), errors.Is(err, errNotReading):
			return
		case !errors.Is(err, unix.EINTR):
			c.readEnded(false)
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.paused { // the end of a pause has the event repeated
		l.resume(c)
	}
}

// errNotReading says that the connection isn't to be read now.
var errNotReading = errors.New("not reading")

func (l *loop) readSocket(c *Conn) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateClosed || c.paused || c.held || c.ended {
		return 0, errNotReading
	}
	return unix.Read(int(c.fd), l.buffer)
}

func (l *loop) start(c *Conn, buffered []byte) {
	c.mu.Lock()
	c.started, c.reading = true, true
	l.flush(c)
	c.mu.Unlock()
	c.received(buffered)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading, c.resumed = false, false // the first event comes at once, and finds what a pause left
	if c.state == stateClosed {
		return
	}
	if err := l.control(unix.EPOLL_CTL_ADD, c); err != nil {
		c.finish()
	}
}

func (l *loop) flush(c *Conn) {
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
				c.blocked()
			}
			return
		case !errors.Is(err, unix.EINTR):
			c.writeFailed()
			return
		}
	}
	c.account()
	if c.flushed() {
		unix.Shutdown(int(c.fd), unix.SHUT_WR)
	}
}

func (l *loop) resume(c *Conn) {
	if c.state != stateClosed {
		_ = l.control(unix.EPOLL_CTL_MOD, c) // fails before start has added it, which then tells of the edges
	}
}

func (l *loop) close(c *Conn) {
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
