//go:build unix

package httpclient

import (
	"net"
	"syscall"
)

// probe looks into a socket for what its backend did while it was idle.
type probe struct {
	raw   syscall.RawConn       // nil: the connection is not a socket
	look  func(fd uintptr) bool // tries to read, and sets quiet
	quiet bool                  // there was nothing to read, and no end
	rest  [1]byte
}

// begin is given the connection. It allocates what alive needs, so that alive
// allocates nothing.
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

// alive reports whether an idle connection can still be used: the backend has
// neither closed it nor sent what nobody asked for. The connection's deadline
// must not have passed.
func (p *probe) alive() bool {
	if p.raw == nil {
		return true
	}
	p.quiet = false
	return p.raw.Read(p.look) == nil && p.quiet
}

// unheard reports whether the backend's kernel had confirmed none of what was sent behind
// the given number of bytes when it closed the connection.
func (p *probe) unheard(before uint64) (yes bool) {
	return p.raw != nil && p.raw.Control(func(fd uintptr) { yes = unheard(int(fd), before) }) == nil && yes
}
