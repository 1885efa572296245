package httpclient

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
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

// usable returns the idle connection, or another to the backend, that the backend has not
// closed, or a new one. Reading and writing end at the deadline.
func (c *Client) usable(ctx context.Context, list *idleList, idle *connection, deadline time.Time) (*connection, error) {
	for ; idle != nil; idle = c.pool.next(list) {
		_ = idle.SetDeadline(deadline)
		if idle.alive() {
			return idle, nil
		}
		_ = idle.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", list.slots.backend)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(deadline)
	return newConnection(conn), nil
}

// dialCounted is dial for connections that have no slot.
func (c *Client) dialCounted(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.sockets.open.Add(1)
	return &counted{Conn: conn, open: c.sockets.open}, nil
}

// counted is a connection that counts as open until it is closed.
type counted struct {
	net.Conn
	open   *atomic.Int64
	closed sync.Once
}

// Close implements net.Conn.
func (c *counted) Close() error {
	c.closed.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
