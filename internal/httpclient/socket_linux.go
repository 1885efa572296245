package httpclient

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// socket is a connection to a backend that a loop watches. One call uses it at a time.
type socket struct {
	host  *host
	fd    int // -1: closed
	watch eventloop.Watch
	call  *call // nil: it is idle

	connecting bool
	used       bool   // there was an answer on it
	sent       uint64 // bytes of all requests
	before     uint64 // bytes of those that are answered
	unsent     []byte // what the socket did not take yet
	again      func() // read, for Post

	// Of an idle one:
	since                 int // branch.sweeps when it became one
	idleBefore, idleAfter *socket
}

const (
	// maxReads is how often a socket is read from before others have their turn.
	maxReads = 4
	// maxRead is how many bytes are read at a time.
	maxRead = 64 << 10
)

// connect begins to open a socket to a host that has an address, for a call.
func connect(h *host, o *call) (*socket, error) {
	family, address := sockaddr(h.ip)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err = descriptors.ForBackend(fd, os.NewSyscallError("socket", err)); err != nil {
		return nil, h.dialError(err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if err := unix.Connect(fd, address); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd)
		return nil, h.dialError(os.NewSyscallError("connect", err))
	}
	s, err := adopt(h, fd)
	if err != nil {
		return nil, h.dialError(err)
	}
	s.connecting, s.call = true, o
	return s, nil
}

// adopt has the loop watch a descriptor, which it closes where that fails.
func adopt(h *host, fd int) (s *socket, err error) {
	s = &socket{host: h, fd: fd}
	if s.watch, err = h.branch.loop.Watch(fd, s); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// sockaddr is an address as system calls take it, and its family.
func sockaddr(ip netip.AddrPort) (family int, address unix.Sockaddr) {
	if a := ip.Addr(); a.Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(ip.Port()), Addr: a.As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(ip.Port()), Addr: ip.Addr().As16()}
}

// detach takes the descriptor out of a connection of package net, which is closed.
func detach(conn net.Conn) (fd int, err error) {
	defer func() { _ = conn.Close() }()
	raw, err := conn.(syscall.Conn).SyscallConn() //nolint:forcetypeassert // it is a *net.TCPConn
	if err != nil {
		return -1, err
	}
	if failed := raw.Control(func(of uintptr) {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
		err = descriptors.ForBackend(fd, os.NewSyscallError("fcntl", err))
	}); failed != nil {
		return -1, failed
	}
	return fd, err
}

// dialError is the error of a connection that did not come about, as package net has it.
func (h *host) dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(h.ip), Err: err}
}

// put makes the socket of a call idle, unless none is kept any more.
func (h *host) put(s *socket) {
	if h.branch.closed {
		s.close()
		h.free()
		return
	}
	h.push(s)
	h.keep()
}

// close closes the socket, whoever had it.
func (s *socket) close() {
	s.host.branch.loop.Unwatch(s.fd, s.watch)
	_ = unix.Close(s.fd)
	s.fd, s.call = -1, nil
}

// Ready implements eventloop.Watcher.
func (s *socket) Ready(e eventloop.Events) {
	if s.connecting {
		if e&(eventloop.Writable|eventloop.HungUp) == 0 || !s.connected() {
			return
		}
	}
	if e&eventloop.Writable != 0 && len(s.unsent) > 0 {
		if err := s.flush(); err != nil {
			s.call.broken(err)
			return
		}
	}
	switch {
	case e&(eventloop.Readable|eventloop.HungUp) == 0:
	case s.call == nil:
		s.looked()
	default:
		s.read(e&eventloop.HungUp != 0)
	}
}

// connected ends connecting. It reports whether that has worked, and the request was sent.
func (s *socket) connected() bool {
	o, h := s.call, s.host
	code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = os.NewSyscallError("connect", syscall.Errno(code))
	}
	if err == nil && s.isOwnPeer() {
		err = os.NewSyscallError("connect", unix.ECONNREFUSED)
	}
	if err != nil {
		o.fail(h.dialError(err))
		return false
	}
	s.connecting = false
	h.branch.loop.StartTimer(&o.timer, time.Until(o.deadline), o)
	o.talk(s)
	return s.call == o
}

// isOwnPeer reports whether the socket is connected to itself, as the kernel may do where
// nobody listens at a port that it gives to clients.
func (s *socket) isOwnPeer() bool {
	own, err := unix.Getsockname(s.fd)
	if err != nil {
		return false
	}
	switch a := own.(type) {
	case *unix.SockaddrInet4:
		return s.host.ip == netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)) //nolint:gosec // it is a port
	case *unix.SockaddrInet6:
		return s.host.ip == netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)) //nolint:gosec // it is a port
	}
	return false
}

// write sends what the socket takes, and keeps a copy of the rest for later.
func (s *socket) write(b []byte) error {
	rest, err := s.send(b)
	if len(rest) > 0 {
		s.unsent = bytes.Clone(rest)
	}
	return err
}

// flush sends what the socket takes of what was kept.
func (s *socket) flush() (err error) {
	if s.unsent, err = s.send(s.unsent); len(s.unsent) == 0 {
		s.unsent = nil
	}
	return err
}

// send sends what the socket takes, and returns the rest.
func (s *socket) send(b []byte) (rest []byte, err error) {
	for len(b) > 0 {
		n, err := eventloop.Write(s.fd, b)
		switch {
		case err == nil:
			s.sent += uint64(n) //nolint:gosec // it is not negative
			b = b[n:]
		case errors.Is(err, unix.EAGAIN):
			return b, nil
		case !errors.Is(err, unix.EINTR):
			return nil, os.NewSyscallError("write", err)
		}
	}
	return nil, nil
}

// writeBoth is write for a head and a body that is not worth copying.
func (s *socket) writeBoth(head, body []byte) error {
	n, err := unix.Writev(s.fd, [][]byte{head, body})
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("write", err)
	}
	n = max(n, 0)
	s.sent += uint64(n) //nolint:gosec // it is not negative
	if n < len(head) {
		s.unsent = slices.Concat(head[n:], body)
		return nil
	}
	return s.write(body[n-len(head):])
}

// read reads what has come of the answer. Where there may be more after a few times, it
// goes on when others have had their turn.
func (s *socket) read(hungUp bool) {
	p := &s.call.parser
	for range maxReads {
		into := p.direct()
		straight := into != nil
		if !straight {
			into = s.host.branch.loop.Buffer()
		}
		into = into[:min(len(into), maxRead)]
		n, err := eventloop.Read(s.fd, into)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			s.call.broken(os.NewSyscallError("read", err))
			return
		case n == 0:
			s.closed()
			return
		}
		var rest []byte
		var whole bool
		if straight {
			whole = p.took(n)
		} else if rest, whole, err = p.feed(into[:n]); err != nil {
			s.call.fail(err)
			return
		}
		drained := n < len(into) && !hungUp
		if whole {
			s.answered(len(rest) == 0 && (drained || s.isQuiet()))
			return
		}
		if drained {
			return
		}
	}
	if s.again == nil {
		s.again = func() {
			if s.call != nil {
				s.read(true)
			}
		}
	}
	s.host.branch.post(s.again)
}

// closed handles that the backend has closed the connection.
func (s *socket) closed() {
	p := &s.call.parser
	if p.untouched() {
		s.call.broken(io.EOF)
	} else if err := p.end(); err != nil {
		s.call.fail(err)
	} else {
		s.answered(false)
	}
}

// answered ends the call with the parsed answer. The connection is kept where it is clean:
// nothing came behind the answer.
func (s *socket) answered(clean bool) {
	o, h := s.call, s.host
	o.socket, s.call = nil, nil
	if clean && len(s.unsent) == 0 && o.parser.reusable() {
		s.used, s.before = true, s.sent
		h.put(s)
	} else {
		s.close()
		h.free()
	}
	o.leave()
	o.end()
}

// looked closes an idle socket that its backend has closed, or sent something on that
// nobody asked for.
func (s *socket) looked() {
	if s.isQuiet() {
		return
	}
	s.host.remove(s)
	s.close()
	s.host.lose()
}

// isQuiet reports whether there is nothing to read, and no end.
func (s *socket) isQuiet() bool {
	var b [1]byte
	_, err := unix.Read(s.fd, b[:])
	return errors.Is(err, unix.EAGAIN)
}

// unheard reports whether the backend had closed the connection before anything of the
// request came there: nothing was sent, or the connection ended, rather than broke, and of
// the request its kernel had confirmed nothing when it did.
func (s *socket) unheard(err error) bool {
	if s.sent == s.before {
		return true
	}
	if err != io.EOF && !errors.Is(err, unix.EPIPE) { //nolint:errorlint // as closed gives it
		return false
	}
	return unheard(s.fd, s.before)
}

// describe is the error of a call whose socket failed.
func (s *socket) describe(err error, p *parser) error {
	if err == io.EOF { //nolint:errorlint // as closed gives it
		return p.end()
	}
	op := "read"
	if broken, ok := errors.AsType[*os.SyscallError](err); ok {
		op = broken.Syscall
	}
	failed := &net.OpError{Op: op, Net: "tcp", Err: err}
	if s.host.ip.IsValid() {
		failed.Addr = net.TCPAddrFromAddrPort(s.host.ip)
	}
	return p.describe(failed)
}
