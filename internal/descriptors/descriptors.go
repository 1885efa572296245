// Package descriptors keeps the last file descriptors of the process for what
// must go on when the others are used up: the admin port, the store, and the
// refusal of clients for whom there is no room.
//
// The kernel gives out the lowest number that is free. A socket whose number is
// among the highest that the process may have shows, without counting, that all
// lower ones are taken: whoever opened it for a client or a backend closes it.
package descriptors

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/internal/netconn"
)

// ErrScarce is the error for a connection to a backend that would take one of the
// last descriptors.
var ErrScarce = errors.New("the process is short of file descriptors")

// Reserve returns how many descriptors are kept, of as many as the process may
// have: an eighth, and at most 256.
func Reserve(limit int) int { return min(limit/8, 256) }

// Scarce reports whether a connection has one of the descriptors that are kept:
// whoever accepted it from a client closes it. A connection that is not a socket
// has none.
func Scarce(conn net.Conn) bool {
	limit := Limit()
	return limit > 0 && among(conn, limit-Reserve(limit))
}

// among reports whether the descriptor of a connection has the given number or a
// higher one.
func among(conn net.Conn, first int) bool {
	socket, ok := netconn.Find[syscall.Conn](conn)
	return ok && number(socket) >= first
}

// number returns the descriptor of a socket, -1 where it is closed.
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

// Dialer opens connections to backends. The zero value has no time limit.
type Dialer struct {
	// Timeout is how long opening a connection may take; 0: no limit but the
	// context's.
	Timeout time.Duration
}

// DialContext is net.Dialer's. Where the connection would take one of the last
// descriptors, it is closed and the error is ErrScarce. Backends may take half of
// what is kept: calls for clients that are connected go before new clients.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: d.Timeout}).DialContext(ctx, network, address)
	switch {
	case err != nil && exhausted(err):
		return nil, errors.Join(ErrScarce, err)
	case err != nil:
		return nil, err
	}
	if limit := Limit(); limit > 0 && among(conn, limit-Reserve(limit)/2) {
		_ = conn.Close()
		return nil, ErrScarce
	}
	return conn, nil
}
