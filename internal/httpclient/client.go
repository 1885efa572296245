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
// of what it costs with http.Transport.
//
// TLS, HTTP/2 and large bodies are sent by http.Transport, with the same limits.
// An answer means the same on both ways: FuzzAnswer compares this package's reader
// with that of net/http.
//
// # The way of a request
//
//   - Client.Do (client.go) waits for the request's turn, and chooses the way:
//     what is not sent here is sent by net/http (nethttp.go).
//   - Client.connect (dial.go) takes an idle connection from the pool (pool.go)
//     that the backend has not closed meanwhile (alive_unix.go), or dials.
//   - The context is watched (watch.go): its end interrupts reads and writes.
//   - exchange (exchange.go) writes the request in one piece, and reads the
//     answer, piece by piece as it comes (parser.go): head (head.go, field.go),
//     then body (chunks.go where it comes in chunks).
//   - The connection goes back to the pool where another request may follow.
package httpclient

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// Client calls HTTP backends. Its methods are safe for concurrent use.
type Client struct {
	address string // Options.Address
	turns   *turnstile.Turnstile
	pool    pool
	watches watches
	netHTTP *http.Transport // for TLS, and for large bodies
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
	// Bounds are those of the calls of each backend, a host:port.
	Bounds turnstile.Bounds
}

// New makes a client, which has no connection yet. The caller closes it.
func New(o Options) *Client {
	c := &Client{address: o.Address, turns: turnstile.New(o.Bounds)}
	c.netHTTP = newNetHTTP(c.dial, o.RootCAs)
	return c
}

// Do sends a request when it is its turn, and returns the answer, whatever its
// status. There is no second attempt. The error is context.DeadlineExceeded when
// the request's time is up, the wait for its turn included; the context's when
// that has ended; turnstile.ErrFull where too many calls wait already;
// descriptors.ErrScarce where the process has no socket left for it; ErrTooLarge
// for the answer; or what is wrong with the network, the request's header or the
// answer.
func (c *Client) Do(ctx context.Context, r *Request) (*Response, error) {
	address, deadline := r.address(), time.Now().Add(r.Timeout)
	lane, err := c.turns.Enter(ctx, turnstile.Call{Backend: cmp.Or(c.address, address), Deadline: deadline, Patient: r.Patient})
	if err != nil {
		return nil, err
	}
	defer lane.Leave()
	if r.URL.Scheme == "http" && len(r.Body) <= maxPlainBody {
		return c.plain(ctx, r, address, deadline)
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return c.viaNetHTTP(ctx, r)
}

// plain sends a request over a connection of our own.
func (c *Client) plain(ctx context.Context, r *Request, address string, deadline time.Time) (*Response, error) {
	conn, err := c.connect(ctx, address, deadline)
	if err != nil {
		return nil, err
	}
	w := c.watches.watch(ctx, conn.Conn)
	response, reusable, err := exchange(conn.Conn, r)
	if c.watches.unwatch(w, conn.Conn) && err != nil {
		err = ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	if err != nil || !reusable {
		_ = conn.Close()
		return response, err
	}
	c.pool.put(address, conn)
	return response, nil
}

// Close closes the connections that no request uses, and the others after their
// request. The client is not used afterwards.
func (c *Client) Close() {
	c.netHTTP.CloseIdleConnections()
	c.pool.close()
	c.watches.close()
}
