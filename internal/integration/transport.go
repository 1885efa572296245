package integration

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// maxResponseBytes is API Gateway's payload limit for integrations.
const maxResponseBytes = 10 << 20

// errResponseTooLarge is the transport's answer to a larger one.
var errResponseTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxResponseBytes)

// Transport is the lower half of an HTTP client for backends: pooled
// connections, HTTP/2 where TLS offers it, no redirects, no proxies, bodies
// read whole.
//
// Plain HTTP/1.1 is the hot path: it is written and read on the caller's own
// goroutine, where http.Transport hands every call to two others and back.
type Transport struct {
	standard *http.Transport // for TLS, and for large bodies
	dialer   net.Dialer
	address  string // TransportOptions.Address
	pool     pool
	watches  watches
	turns    *turnstile.Turnstile
}

// TransportOptions are what backends are called with. The zero value is what
// NewTransport takes.
type TransportOptions struct {
	// RootCAs are the authorities that the certificates of TLS backends are
	// checked against; nil stands for the system's. To trust one more, add it
	// to a copy of x509.SystemCertPool.
	RootCAs *x509.CertPool
	// Address is the host:port that all connections go to, whatever host a URL
	// names: that of a VPC link. Empty: the URL's.
	Address string
	// Bounds are those of each backend.
	Bounds turnstile.Bounds
}

const (
	dialTimeout = 10 * time.Second

	// A backend may answer before it has read a request. What fits into the
	// socket's buffers cannot be held up by that.
	maxPlainBody = 16 << 10
)

// NewTransport makes a transport without connections.
func NewTransport() *Transport { return NewTransportWith(TransportOptions{}) }

// NewTransportWith makes a transport without connections.
func NewTransportWith(o TransportOptions) *Transport {
	t := &Transport{dialer: net.Dialer{Timeout: dialTimeout}, address: o.Address, turns: turnstile.New(o.Bounds)}
	t.standard = &http.Transport{
		DialContext:         t.dial,
		TLSClientConfig:     &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: maxIdle,
		MaxIdleConns:        8 * maxIdle,
		IdleConnTimeout:     idleTimeout,
		TLSHandshakeTimeout: dialTimeout,
		DisableCompression:  true,
	}
	return t
}

// outgoing is a request to an HTTP backend.
type outgoing struct {
	method  string
	url     *url.URL
	host    string // in the header Host; empty: the URL's
	header  Header // without Host and Content-Length
	body    []byte
	timeout time.Duration // for all of it, the answer's body included

	// patient requests wait for their turn however many do.
	patient bool
	// withoutHeader is for who does not look at the answer's header: it stays
	// nil where that saves work.
	withoutHeader bool
}

func (o *outgoing) hostHeader() string {
	if o.host == "" {
		return o.url.Host
	}
	return oneLine(o.host)
}

// address is the host:port of the backend.
func (o *outgoing) address() string {
	switch {
	case o.url.Port() != "":
		return o.url.Host
	case o.url.Scheme == "https":
		return net.JoinHostPort(o.url.Hostname(), "443")
	}
	return net.JoinHostPort(o.url.Hostname(), "80")
}

// Do sends a request when it is its turn, and returns the answer. The error is
// context.DeadlineExceeded when the request's time is up, the wait included,
// turnstile.ErrFull where it may not wait, and descriptors.ErrScarce where there
// is no socket for it.
func (t *Transport) Do(ctx context.Context, o *outgoing) (*Response, error) {
	address, deadline := o.address(), time.Now().Add(o.timeout)
	lane, err := t.turns.Enter(ctx, turnstile.Call{Backend: cmp.Or(t.address, address), Deadline: deadline, Patient: o.patient})
	if err != nil {
		return nil, err
	}
	defer lane.Leave()
	if o.url.Scheme == "http" && len(o.body) <= maxPlainBody {
		return t.plain(ctx, o, address, deadline)
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, o.method, o.url.String(), bytes.NewReader(o.body))
	if err != nil {
		return nil, err
	}
	for _, f := range o.header {
		r.Header.Add(f.Name, oneLine(f.Value))
	}
	r.Host = o.hostHeader()
	answer, err := t.standard.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	return readAnswer(answer)
}

// CloseIdleConnections closes the connections that no request uses, and lets
// go of the others after their request. The transport is not used afterwards.
func (t *Transport) CloseIdleConnections() {
	t.standard.CloseIdleConnections()
	t.pool.close()
	t.watches.close()
}

// plain makes a request over a connection of our own.
func (t *Transport) plain(ctx context.Context, o *outgoing, address string, deadline time.Time) (*Response, error) {
	c, err := t.connect(ctx, address, deadline)
	if err != nil {
		return nil, err
	}
	w := t.watches.watch(ctx, c.Conn)
	response, reusable, err := exchange(c.Conn, o)
	if t.watches.unwatch(w, c.Conn) && err != nil {
		err = ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	if err != nil || !reusable {
		_ = c.Close()
		return response, err
	}
	t.pool.put(address, c)
	return response, nil
}

func (t *Transport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if t.address != "" {
		address = t.address
	}
	return descriptors.Spare(t.dialer.DialContext(ctx, network, address))
}

// connect returns a pooled connection that the backend has not closed, or a new
// one. Reading and writing end at the deadline.
func (t *Transport) connect(ctx context.Context, address string, deadline time.Time) (*httpConn, error) {
	for {
		c := t.pool.take(address)
		if c == nil {
			break
		}
		_ = c.SetDeadline(deadline)
		if c.alive() {
			return c, nil
		}
		_ = c.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := t.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(deadline)
	return newHTTPConn(conn), nil
}

// readAnswer takes what matters of an answer of net/http, with its body.
func readAnswer(answer *http.Response) (*Response, error) {
	var body []byte
	var err error
	if answer.StatusCode > maxStatus {
		return nil, fmt.Errorf("the answer has the status %d", answer.StatusCode)
	}
	switch n := answer.ContentLength; {
	case n > maxResponseBytes:
		return nil, errResponseTooLarge
	case n >= 0:
		body = make([]byte, n)
		_, err = io.ReadFull(answer.Body, body)
	default:
		body, err = io.ReadAll(io.LimitReader(answer.Body, maxResponseBytes+1))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxResponseBytes {
		return nil, errResponseTooLarge
	}
	return &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}, nil
}
