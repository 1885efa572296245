//go:build linux

package load

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// drain is how long replies may take after the counted time is over. A reply
// that is missing then is an error.
const drain = 15 * time.Second

// loop drives its connections from one thread.
type loop struct {
	protocol  Protocol
	epoll     int
	conns     map[int32]*conn
	waiting   int // connections with a request under way
	latencies []time.Duration
	errors    []error
	spare     []byte // what one read fills
}

// conn is one connection of a loop.
type conn struct {
	fd   int
	sent time.Time // of the request under way
	rest []byte    // the start of a reply that came in pieces
}

func newLoop(o Options) (*loop, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &loop{
		protocol: o.Protocol, epoll: epoll, conns: map[int32]*conn{}, spare: make([]byte, 64<<10),
		latencies: make([]time.Duration, 0, int(o.Duration.Seconds()*100_000)),
	}, nil
}

func (l *loop) close() { _ = syscall.Close(l.epoll) }

func (l *loop) add(fd int) error {
	if err := syscall.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("non-blocking socket: %w", err)
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	l.conns[event.Fd] = &conn{fd: fd}
	return nil
}

// run sends until end and then waits for the last replies. It counts replies
// that come between start and end.
func (l *loop) run(start, end time.Time) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, c := range l.conns {
		l.send(c)
	}
	events := make([]syscall.EpollEvent, 256)
	for l.waiting > 0 {
		n, err := syscall.EpollWait(l.epoll, events, 100)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			l.errors = append(l.errors, fmt.Errorf("epoll: %w", err))
			return
		case n == 0 && time.Now().After(end.Add(drain)):
			l.errors = append(l.errors, fmt.Errorf("%d replies never came", l.waiting))
			return
		}
		for _, event := range events[:n] {
			if l.receive(l.conns[event.Fd], start, end) && time.Now().Before(end) {
				l.send(l.conns[event.Fd])
			}
		}
	}
}

// send starts a request. It fits in an empty socket buffer, so a short write
// is a failure.
func (l *loop) send(c *conn) {
	request := l.protocol.Request()
	c.sent = time.Now()
	l.waiting++
	n, err := syscall.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = fmt.Errorf("%d of %d bytes written", n, len(request))
	}
	if err != nil {
		l.fail(c, fmt.Errorf("sending: %w", err))
	}
}

// receive reads what is there, and reports whether the reply is complete.
func (l *loop) receive(c *conn, start, end time.Time) bool {
	n, err := syscall.Read(c.fd, l.spare)
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return false
	case err != nil:
		l.fail(c, fmt.Errorf("receiving: %w", err))
		return false
	case n == 0:
		l.fail(c, errors.New("the server closed the connection"))
		return false
	}
	data := l.spare[:n]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, data...)
		data = c.rest
	}
	length, err := l.protocol.Reply(data)
	switch {
	case err != nil:
		l.fail(c, err)
		return false
	case length == 0:
		if len(c.rest) == 0 {
			c.rest = append(c.rest, data...)
		}
		return false
	case length < len(data):
		l.fail(c, fmt.Errorf("%q after the reply", data[length:]))
		return false
	}
	c.rest = c.rest[:0]
	l.waiting--
	if now := time.Now(); now.After(start) && now.Before(end) {
		l.latencies = append(l.latencies, now.Sub(c.sent))
	}
	return true
}

// fail stops using a connection, which its opener closes.
func (l *loop) fail(c *conn, err error) {
	_ = syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_DEL, c.fd, nil)
	l.waiting--
	l.errors = append(l.errors, err)
}
