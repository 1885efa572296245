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

// connect returns an idle connection that the backend has not closed, or a new
// one. Reading and writing end at the deadline.
func (c *Client) connect(ctx context.Context, address string, deadline time.Time) (*connection, error) {
	for {
		idle := c.pool.take(address)
		if idle == nil {
			break
		}
		_ = idle.SetDeadline(deadline)
		if idle.alive() {
			return idle, nil
		}
		_ = idle.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(deadline)
	return newConnection(conn), nil
}
