package httpclient

import (
	"errors"
	"net"
	"os"
	"time"
)

// connection is a connection to a backend; one request of a call that blocks uses it at a
// time.
type connection struct {
	net.Conn
	probe
	since time.Time // when it was put into the pool

	used   bool   // there was an answer on it
	heard  bool   // something came since
	sent   uint64 // bytes of all requests
	before uint64 // bytes of those that are answered
}

// newConnection makes a connection of a socket that was just opened.
func newConnection(conn net.Conn) *connection {
	c := &connection{Conn: conn}
	c.probe.begin(conn)
	return c
}

// interrupt implements interruptible.
func (c *connection) interrupt() { _ = c.SetDeadline(past) }

func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.heard = c.heard || n > 0
	return n, err
}

func (c *connection) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent += uint64(n) //nolint:gosec // it is not negative
	return n, err
}

// rest says that the answer to a request was read, and that there is no other yet.
func (c *connection) rest() {
	c.since, c.used, c.heard, c.before = time.Now(), true, false, c.sent
}

// mayRetry reports whether a request that failed on the connection may be sent over
// another: see Client.Do.
func (c *connection) mayRetry(method string, err error) bool {
	closed := errors.Is(err, errNoAnswer)
	if _, broken := errors.AsType[*net.OpError](err); !c.used || c.heard || !closed && !broken || errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	return isIdempotent(method) || c.sent == c.before || closed && c.unheard(c.before)
}
