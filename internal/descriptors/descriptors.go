// Package descriptors keeps the last file descriptors of the process for what
// must go on when the others are used up: the admin port, the store, and
// refusing whom there is no room for.
//
// The kernel gives out the lowest number that is free. A socket whose number is
// among the highest that the process may have thus tells, without counting, that
// all before are taken: whoever opened it for a client or a backend closes it.
package descriptors

import (
	"errors"
	"net"
	"syscall"
)

// ErrScarce is the error for a socket that would take one of the last
// descriptors.
var ErrScarce = errors.New("the process is short of file descriptors")

// Reserve is how many descriptors are kept of a limit: an eighth, and not more
// than 256.
func Reserve(limit int) int { return min(limit/8, 256) }

// Scarce reports whether a connection's descriptor is one of those that are
// kept. What is no socket never is.
func Scarce(conn net.Conn) bool {
	limit := Limit()
	if limit == 0 {
		return false
	}
	for range maxWrappers {
		if socket, ok := conn.(syscall.Conn); ok {
			return number(socket) >= limit-Reserve(limit)
		}
		wrapper, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return false
		}
		conn = wrapper.NetConn()
	}
	return false
}

// maxWrappers is how many NetConn methods are followed: one may give itself.
const maxWrappers = 8

// number is the descriptor of a socket, -1 where it is closed.
func number(socket syscall.Conn) int {
	raw, err := socket.SyscallConn()
	if err != nil {
		return -1
	}
	n := -1
	if raw.Control(func(fd uintptr) { n = int(fd) }) != nil {
		return -1
	}
	return n
}

// Spare closes a connection that was dialled where its descriptor is one of
// those that are kept: the error is then ErrScarce. It takes what a dialler
// gives.
func Spare(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		if exhausted(err) {
			err = errors.Join(ErrScarce, err)
		}
		return nil, err
	}
	if Scarce(conn) {
		_ = conn.Close()
		return nil, ErrScarce
	}
	return conn, nil
}
