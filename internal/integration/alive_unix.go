//go:build unix

package integration

import (
	"net"
	"syscall"
)

// probe looks into a socket.
type probe struct {
	raw   syscall.RawConn // nil where there is none
	look  func(fd uintptr) bool
	quiet bool
	rest  [1]byte
}

// begin readies the probe, so that it allocates nothing when it is used.
func (p *probe) begin(conn net.Conn) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	p.raw, _ = socket.SyscallConn()
	p.look = func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), p.rest[:]) // does not block: the socket is the poller's
		p.quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	}
}

// alive tells whether a pooled connection can still be used: the backend has
// neither closed it nor sent what nobody asked for. The connection's deadline
// must be ahead.
func (p *probe) alive() bool {
	if p.raw == nil {
		return true
	}
	p.quiet = false
	return p.raw.Read(p.look) == nil && p.quiet
}
