//go:build linux

package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
)

// loop serves its connections, and calls the backend, on one thread.
type loop struct {
	epoll, listener int
	backend         *backend // nil: messages go back to where they came from
	conns           []*conn  // by descriptor
	idle            []*conn  // to the backend; the last used is the last
	in, out         []byte   // what one read fills, and what one write is made of
}

// conn is a socket: a client's, or to the backend.
type conn struct {
	fd int
	// received is given what came, and returns how much of it is done with: 0 as
	// long as that is not enough, less to cut the connection.
	received func(c *conn, data []byte) int
	rest     []byte // that came, and is not done with
	unsent   []byte // the socket is full
	client   *conn  // of the backend's sockets: whose message is under way
	closed   bool
}

// newLoop listens; several loops may on the same address.
func newLoop(address *syscall.SockaddrInet4, b *backend) (*loop, error) {
	const reusePort = 15 // SO_REUSEPORT, which package syscall lacks
	l := &loop{backend: b, in: make([]byte, 64<<10)}
	var failed, err error
	l.epoll, failed = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	l.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	return l, errors.Join(
		syscall.SetsockoptInt(l.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.SetsockoptInt(l.listener, syscall.SOL_SOCKET, reusePort, 1),
		syscall.Bind(l.listener, address), syscall.Listen(l.listener, 4096),
		l.watch(syscall.EPOLL_CTL_ADD, l.listener, syscall.EPOLLIN),
	)
}

// run serves until epoll fails.
func (l *loop) run() error {
	runtime.LockOSThread()
	events := make([]syscall.EpollEvent, 256)
	for {
		n, err := syscall.EpollWait(l.epoll, events, -1)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("epoll: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == l.listener {
				l.accept()
				continue
			}
			c := l.conns[e.Fd]
			if !c.closed && e.Events&syscall.EPOLLOUT != 0 {
				l.flush(c)
			}
			if !c.closed && e.Events&^syscall.EPOLLOUT != 0 {
				l.read(c)
			}
		}
	}
}

func (l *loop) watch(operation, fd int, events uint32) error {
	return syscall.EpollCtl(l.epoll, operation, fd, &syscall.EpollEvent{Events: events, Fd: int32(fd)})
}

func (l *loop) accept() {
	if fd, _, err := syscall.Accept4(l.listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC); err == nil {
		l.add(&conn{fd: fd, received: l.handshake})
	}
}

// add has a connection served.
func (l *loop) add(c *conn) {
	l.conns = append(l.conns, make([]*conn, max(0, c.fd+1-len(l.conns)))...)
	l.conns[c.fd] = c
	if errors.Join(
		syscall.SetsockoptInt(c.fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		l.watch(syscall.EPOLL_CTL_ADD, c.fd, syscall.EPOLLIN),
	) != nil {
		l.close(c)
	}
}

// close cuts a connection, and that of the client who waits for it.
func (l *loop) close(c *conn) {
	if c.closed {
		return
	}
	c.closed = true
	_ = syscall.Close(c.fd)
	if c.client != nil {
		l.close(c.client)
	}
}

// read reads once: where there is more, epoll says so again.
func (l *loop) read(c *conn) {
	n, err := syscall.Read(c.fd, l.in)
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return
	case n <= 0:
		l.close(c)
		return
	}
	data := l.in[:n]
	if len(c.rest) > 0 {
		c.rest = append(c.rest, data...)
		data = c.rest
	}
	for len(data) > 0 {
		done := c.received(c, data)
		if done < 0 {
			l.close(c)
			return
		}
		if done == 0 {
			break
		}
		data = data[done:]
	}
	c.rest = append(c.rest[:0], data...)
}

// send writes what the socket takes, and keeps the rest.
func (l *loop) send(c *conn, data []byte) {
	full := len(c.unsent) > 0
	if !full {
		n, err := syscall.Write(c.fd, data)
		if n == len(data) {
			return
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			l.close(c)
			return
		}
		data = data[max(n, 0):]
	}
	c.unsent = append(c.unsent, data...)
	if !full && l.watch(syscall.EPOLL_CTL_MOD, c.fd, syscall.EPOLLIN|syscall.EPOLLOUT) != nil {
		l.close(c)
	}
}

// flush writes what was kept, now that the socket takes more.
func (l *loop) flush(c *conn) {
	n, err := syscall.Write(c.fd, c.unsent)
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		l.close(c)
		return
	}
	c.unsent = append(c.unsent[:0], c.unsent[max(n, 0):]...)
	if len(c.unsent) == 0 && l.watch(syscall.EPOLL_CTL_MOD, c.fd, syscall.EPOLLIN) != nil {
		l.close(c)
	}
}
