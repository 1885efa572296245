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

	"github.com/stagedoor/stagedoor/internal/netconn"
)

// ErrScarce is the error for a socket that would take one of the last
// descriptors.
var ErrScarce = errors.New("the process is short of file descriptors")

// Reserve is how many descriptors are kept of a limit: an eighth, and not more
// than 256.
func Reserve(limit int) int { return min(limit/8, 256) }

// Scarce reports whether a client's connection has a descriptor that is kept for
// others. What is no socket never has.
func Scarce(conn net.Conn) bool {
	limit := Limit()
	return limit > 0 && among(conn, limit-Reserve(limit))
}

// among reports whether a connection's descriptor is a number or above.
func among(conn net.Conn, first int) bool {
	socket, ok := netconn.Find[syscall.Conn](conn)
	return ok && number(socket) >= first
}

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

// Spare closes a connection to a backend where its descriptor is one of the last:
// the error is then ErrScarce. Half of what is kept is for backends: who is
// connected already goes before who would be. It takes what a dialler gives.
func Spare(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		if exhausted(err) {
			err = errors.Join(ErrScarce, err)
		}
		return nil, err
	}
	if limit := Limit(); limit > 0 && among(conn, limit-Reserve(limit)/2) {
		_ = conn.Close()
		return nil, ErrScarce
	}
	return conn, nil
}
