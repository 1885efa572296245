package httpclient

import (
	"context"
	"net"
	"time"

	"github.com/stagedoor/stagedoor/internal/descriptors"
)

// dialTimeout is how long a connection may take to come about, and a TLS
// handshake on it.
const dialTimeout = 10 * time.Second

// dial opens a connection to the address of Options, or to the given one where
// there is none. It is an http.Transport's DialContext.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.address != "" {
		address = c.address
	}
	return descriptors.Dialer{Timeout: dialTimeout}.DialContext(ctx, network, address)
}

// connect returns an idle connection to a backend that the backend has not closed, or a
// new one, and where it is put later. Reading and writing end at the deadline.
func (c *Client) connect(ctx context.Context, backend string, deadline time.Time) (*idleList, *connection, error) {
	list, idle := c.pool.enter(backend)
	for ; idle != nil; idle = c.pool.next(list) {
		_ = idle.SetDeadline(deadline)
		if idle.alive() {
			return list, idle, nil
		}
		_ = idle.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", backend)
	if err != nil {
		list.free()
		return nil, nil, err
	}
	_ = conn.SetDeadline(deadline)
	return list, newConnection(conn), nil
}
