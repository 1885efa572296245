// Package httpclient is the HTTP client that backends are called with. It sends
// a request over a connection that it keeps for the next one, and returns the
// answer read whole. It follows no redirect, uses no proxy, and knows nothing of
// API Gateway. Package integration calls HTTP backends with it.
//
// # Why not net/http
//
// For each message, a gateway sends a small request over plain HTTP/1.1.
// http.Transport hands every call to two goroutines and back, and makes a header,
// readers and contexts for it: 56 allocations of 4 KB together, as BenchmarkClient
// measures. This client writes and reads on the goroutine of its caller, with
// pooled buffers: 2 allocations, 6 where the answer's header is wanted. Beside what
// the sockets themselves take, which is most of the time, a call costs a quarter
// of what it costs with http.Transport. A call on an event loop (Client.Start) takes
// no goroutine while it waits, and no allocation.
//
// TLS, HTTP/2 and large bodies are sent by http.Transport, with the same limits.
// An answer means the same on both ways: FuzzAnswer compares this package's reader
// with that of net/http.
//
// # The way of a request
//
//   - Client.Do (client.go) waits for the request's turn, and chooses the way:
//     what is not sent here is sent by net/http (nethttp.go).
//   - Client.plain takes an idle connection from the pool (pool.go) that the
//     backend has not closed meanwhile (alive_unix.go), or dials (dial.go).
//   - The context is watched (watch.go): its end interrupts reads and writes.
//   - exchange (exchange.go) writes the request in one piece, and reads the
//     answer, piece by piece as it comes (parser.go): head (head.go, field.go),
//     then body (chunks.go where it comes in chunks).
//   - The connection goes back to the pool where another request may follow.
//
// A call that Client.Start begins on an event loop (start.go) goes another way with the
// same request and parser:
//
//   - It waits for its turn in the same line, without a goroutine, and then for a socket
//     (call_linux.go). Each loop has idle ones of its own (loops_linux.go); together there
//     are no more to a backend than calls may be under way, those of calls that block
//     included (slots.go).
//   - The socket (socket_linux.go) is connected, written and read when the loop says that
//     it can be. That a backend has closed an idle one is an event like the others, so
//     that a call need not probe it.
//   - The answer goes to the call's Caller, on the loop that it was started on.
package httpclient

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// Client calls HTTP backends. Its methods are safe for concurrent use.
type Client struct {
	address string // Options.Address
	turns   *turnstile.Turnstile
	sockets registry // of plain HTTP
	pool    pool
	loops   loops
	watches watches
	netHTTP *http.Transport // for TLS, and for large bodies
	instead func(context.Context, *Request) (*Response, error)
}

// Options are how backends are reached. The zero value is ready to use.
type Options struct {
	// RootCAs are the authorities that the certificates of TLS backends are
	// checked against; nil stands for the system's. To trust one more, add it
	// to a copy of x509.SystemCertPool.
	RootCAs *x509.CertPool
	// Address is the host:port that all connections go to, whatever host a URL
	// names: that of a VPC link. Empty: the URL's.
	Address string
	// Sockets is how many sockets are open, of all clients that have it in their options;
	// nil: they are not counted.
	Sockets *atomic.Int64
	// Bounds are those of the calls of each backend, a host:port.
	Bounds turnstile.Bounds
	// Instead answers all requests, and nothing is sent: for who wants to see what would
	// be. Nil: requests are sent.
	Instead func(context.Context, *Request) (*Response, error)
}

// New makes a client, which has no connection yet. The caller closes it.
func New(o Options) *Client {
	c := &Client{address: o.Address, instead: o.Instead, turns: turnstile.New(o.Bounds)}
	c.pool.of, c.pool.limit = &c.sockets, o.Bounds.WithDefaults().Calls
	c.sockets.open = o.Sockets
	if c.sockets.open == nil {
		c.sockets.open = new(atomic.Int64)
	}
	c.netHTTP = newNetHTTP(c.dialCounted, o.RootCAs)
	return c
}

// Do sends a request when it is its turn, and returns the answer, whatever its
// status. The error is context.DeadlineExceeded when
// the request's time is up, the wait for its turn included; the context's when
// that has ended; turnstile.ErrFull where too many calls wait already;
// descriptors.ErrScarce where the process has no socket left for it; ErrTooLarge
// for the answer; or what is wrong with the network, the request's header or the
// answer.
//
// A request whose connection turns out to have been closed by the backend before it came
// there is sent again over another; so is one with an idempotent method whose connection
// had been used before and broke before anything was answered (RFC 9110, section 9.2.2).
// There is no other second attempt.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	if c.instead != nil {
		return c.instead(ctx, r)
	}
	backend, deadline := c.backend(r), time.Now().Add(r.Timeout)
	lane, err := c.turns.Enter(ctx, turnstile.Call{Backend: backend, Deadline: deadline, Patient: r.Patient})
	if err != nil {
		return nil, err
	}
	defer lane.Leave()
	if r.isPlain() {
		return c.plain(ctx, r, backend, deadline)
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return c.viaNetHTTP(ctx, r)
}

// backend is the host:port that a request is sent to.
func (c *Client) backend(r *Request) string {
	if c.address != "" {
		return c.address
	}
	return r.address()
}

// plain sends a request over a connection of our own.
func (c *Client) plain(ctx context.Context, r *Request, backend string, deadline time.Time) (*Response, error) {
	list, idle := c.pool.enter(backend)
	for {
		conn, err := c.usable(ctx, list, idle, deadline)
		if err != nil {
			list.free()
			return nil, err
		}
		w := c.watches.watch(ctx, conn)
		response, reusable, err := exchange(conn, r)
		ended := c.watches.unwatch(w, conn)
		if err == nil && reusable {
			c.pool.put(list, conn)
			return response, nil
		}
		again := err != nil && !ended && conn.mayRetry(r.Method, err)
		_ = conn.Close()
		if again {
			idle = c.pool.next(list)
			continue
		}
		list.free()
		switch {
		case err != nil && ended:
			err = ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			err = context.DeadlineExceeded
		}
		return response, err
	}
}

// Close closes the connections that no request uses, and the others after their
// request. The client is not used afterwards.
func (c *Client) Close() {
	c.netHTTP.CloseIdleConnections()
	c.pool.close()
	c.loops.close()
	c.watches.close()
}
