package websocket

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagedoor/stagedoor/internal/netconn"
)

// errNotPlain says that the bytes of a connection aren't those of its socket.
var errNotPlain = errors.New("not a plain socket")

// detach takes the socket out of a connection: a duplicate of its descriptor
// that Go's poller doesn't know. The connection is closed; on an error it is
// left as it was.
func detach(nc net.Conn) (fd int, err error) {
	socket, err := plainSocket(nc)
	if err != nil {
		return -1, err
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return -1, err
	}
	var dupErr error
	err = raw.Control(func(original uintptr) {
		fd, dupErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, os.NewSyscallError("fcntl", dupErr)); err != nil {
		return -1, err
	}
	nc.Close()
	return lowest(fd), nil
}

// lowest moves a descriptor to the lowest number that is free, which the closed
// connection has left: package descriptors sees by the number of a new socket how
// many are taken.
func lowest(fd int) int {
	low, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fd
	}
	if low > fd {
		fd, low = low, fd
	}
	_ = unix.Close(fd)
	return low
}

// plainSocket looks through wrappers for a socket, but not through TLS.
func plainSocket(nc net.Conn) (syscall.Conn, error) {
	for layer := range netconn.Layers(nc) {
		switch conn := layer.(type) {
		case *net.TCPConn:
			return conn, nil
		case *net.UnixConn:
			return conn, nil
		case *tls.Conn:
			return nil, errNotPlain
		}
	}
	return nil, errNotPlain
}
