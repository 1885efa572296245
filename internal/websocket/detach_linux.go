package websocket

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/stagedoor/stagedoor/internal/netconn"
	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

// errNotPlain says that the bytes of a connection aren't those of its socket.
var errNotPlain = errors.New("not a plain socket")

// detach takes the socket out of a connection: a duplicate of its descriptor
// that Go's poller doesn't know. The connection is closed; on an error it is
// left as it was. A TLS layer is returned as that of c, which it reads and
// writes from now on.
func detach(c *Conn, nc net.Conn) (fd int, layer *secure, err error) {
	socket, encrypted, err := findSocket(nc)
	if err != nil {
		return -1, nil, err
	}
	if fd, err = duplicate(socket); err != nil {
		return -1, nil, err
	}
	if encrypted != nil {
		layer = &secure{conn: c}
		layer.layer, nc = layerOf(c, encrypted)
	}
	nc.Close()
	return lowest(fd), layer, nil
}

// layerOf makes the layer of a connection: a compact one, where the connection can be taken
// from the tls.Conn. It returns what is below the tls.Conn, which is not used any more.
func layerOf(c *Conn, conn *tls.Conn) (layer tlsLayer, below net.Conn) {
	lead, _ := netconn.Find[*netconn.Switch](conn.NetConn())
	if tap, tapped := conn.NetConn().(*tlsrecord.Tap); tapped {
		if taken, err := tap.Take(conn); err == nil {
			return newCompactLayer(c, taken), lead.Redirect(redirected{})
		}
	}
	standard := newStandardLayer(c, conn)
	return standard, lead.Redirect(standard)
}

// duplicate returns a further descriptor of a socket.
func duplicate(socket syscall.Conn) (fd int, err error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return -1, err
	}
	var dupErr error
	err = raw.Control(func(original uintptr) {
		fd, dupErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(err, os.NewSyscallError("fcntl", dupErr))
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

// findSocket looks through wrappers for a socket. Where there is TLS above it, that is
// returned as well; it must be one that can be told of another place than the socket, and
// have done its handshake.
func findSocket(nc net.Conn) (socket syscall.Conn, encrypted *tls.Conn, err error) {
	for layer := range netconn.Layers(nc) {
		switch conn := layer.(type) {
		case *net.TCPConn:
			return conn, encrypted, nil
		case *net.UnixConn:
			return conn, encrypted, nil
		case *tls.Conn:
			_, redirects := netconn.Find[*netconn.Switch](conn.NetConn())
			if encrypted != nil || !redirects || !conn.ConnectionState().HandshakeComplete {
				return nil, nil, errNotPlain
			}
			encrypted = conn
		}
	}
	return nil, nil, errNotPlain
}
