package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
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

	mu     sync.Mutex
	idle   map[string][]*httpConn // guarded by mu: by host:port, the last used at the end
	timer  *time.Timer            // guarded by mu: runs closeIdle while a connection is idle
	closed bool                   // guarded by mu
}

const (
	// A backend may answer before it has read a request. What fits into the
	// socket's buffers cannot be held up by that.
	maxPlainBody    = 16 << 10
	maxAnswerHeader = 64 << 10

	maxIdle     = 1024 // per backend
	idleTimeout = 90 * time.Second
)

// NewTransport makes a transport without connections.
func NewTransport() *Transport {
	t := &Transport{dialer: net.Dialer{Timeout: 10 * time.Second}, idle: map[string][]*httpConn{}}
	t.standard = &http.Transport{
		DialContext:         t.dialer.DialContext,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: maxIdle,
		MaxIdleConns:        8 * maxIdle,
		IdleConnTimeout:     idleTimeout,
		TLSHandshakeTimeout: 10 * time.Second,
		DisableCompression:  true,
	}
	return t
}

// outgoing is a request to an HTTP backend.
type outgoing struct {
	method  string
	url     *url.URL
	header  Header // without Host and Content-Length
	body    []byte
	timeout time.Duration // for all of it, the answer's body included
}

// Do sends a request and returns the answer. The error is
// context.DeadlineExceeded when the request's time is up.
func (t *Transport) Do(ctx context.Context, o *outgoing) (*Response, error) {
	if o.url.Scheme == "http" && len(o.body) <= maxPlainBody {
		return t.plain(ctx, o)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, o.method, o.url.String(), bytes.NewReader(o.body))
	if err != nil {
		return nil, err
	}
	for _, f := range o.header {
		r.Header.Add(f.Name, oneLine(f.Value))
	}
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
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.closeIdleLocked(time.Now())
}

// closeIdle closes the connections that were idle at a time, and comes back
// for the others.
func (t *Transport) closeIdle(before time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeIdleLocked(before)
}

func (t *Transport) closeIdleLocked(before time.Time) {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	for address, list := range t.idle {
		n := 0
		for n < len(list) && !list[n].since.After(before) {
			_ = list[n].Close()
			n++
		}
		if n == len(list) {
			delete(t.idle, address)
		} else {
			t.idle[address] = append([]*httpConn(nil), list[n:]...)
		}
	}
	if len(t.idle) > 0 {
		t.startTimerLocked()
	}
}

func (t *Transport) startTimerLocked() {
	t.timer = time.AfterFunc(idleTimeout, func() { t.closeIdle(time.Now().Add(-idleTimeout)) })
}

// httpConn is a connection to a backend; one request uses it at a time.
type httpConn struct {
	net.Conn
	input  io.LimitedReader // of the connection
	reader *bufio.Reader    // of input
	writer *bufio.Writer
	since  time.Time // in the pool since
}

func newHTTPConn(conn net.Conn) *httpConn {
	c := &httpConn{Conn: conn, writer: bufio.NewWriter(conn)}
	c.input.R = conn
	c.reader = bufio.NewReader(&c.input)
	return c
}

func (t *Transport) plain(ctx context.Context, o *outgoing) (*Response, error) {
	address := o.url.Host
	if o.url.Port() == "" {
		address = net.JoinHostPort(o.url.Hostname(), "80")
	}
	deadline := time.Now().Add(o.timeout)
	c, err := t.take(ctx, address, deadline)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	answer, reusable, err := c.exchange(o)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.DeadlineExceeded
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	if reusable {
		t.put(address, c)
	} else {
		_ = c.Close()
	}
	return answer, nil
}

// take returns a pooled connection that the backend has not closed, or a new
// one.
func (t *Transport) take(ctx context.Context, address string, deadline time.Time) (*httpConn, error) {
	for {
		t.mu.Lock()
		list := t.idle[address]
		if len(list) == 0 {
			t.mu.Unlock()
			break
		}
		c := list[len(list)-1]
		if list[len(list)-1] = nil; len(list) == 1 {
			delete(t.idle, address)
		} else {
			t.idle[address] = list[:len(list)-1]
		}
		t.mu.Unlock()
		if alive(c.Conn) {
			return c, nil
		}
		_ = c.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := t.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return newHTTPConn(conn), nil
}

func (t *Transport) put(address string, c *httpConn) {
	c.since = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if list := t.idle[address]; !t.closed && len(list) < maxIdle {
		t.idle[address] = append(list, c)
		if t.timer == nil {
			t.startTimerLocked()
		}
		return
	}
	_ = c.Close()
}

// exchange writes a request and reads its answer. The connection is reusable
// when the backend keeps it open and has said nothing else.
func (c *httpConn) exchange(o *outgoing) (response *Response, reusable bool, err error) {
	if err := c.write(o); err != nil {
		return nil, false, err
	}
	var request *http.Request // that the answer is to; nil stands for GET
	if o.method == http.MethodHead {
		request = &http.Request{Method: o.method}
	}
	for {
		c.input.N = maxAnswerHeader
		answer, err := http.ReadResponse(c.reader, request)
		c.input.N = math.MaxInt64
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
			return nil, false, errors.New("the backend closed the connection without an answer")
		case err != nil:
			return nil, false, err
		case answer.StatusCode == http.StatusSwitchingProtocols:
			_ = answer.Body.Close()
			return nil, false, errors.New("the backend switched protocols")
		case answer.StatusCode < 200: // a hint on the way to the answer
			_ = answer.Body.Close()
			continue
		}
		response, err := readAnswer(answer)
		_ = answer.Body.Close()
		return response, !answer.Close && c.reader.Buffered() == 0, err
	}
}

// write writes a request. The writer keeps its first error for Flush.
func (c *httpConn) write(o *outgoing) error {
	w := c.writer
	for _, s := range []string{o.method, " ", o.url.RequestURI(), " HTTP/1.1\r\nHost: ", o.url.Host} {
		_, _ = w.WriteString(s)
	}
	for _, f := range o.header {
		_, _ = w.WriteString("\r\n")
		_, _ = w.WriteString(f.Name)
		_, _ = w.WriteString(": ")
		_, _ = w.WriteString(oneLine(f.Value))
	}
	_, _ = w.WriteString("\r\nContent-Length: ")
	_, _ = w.Write(strconv.AppendInt(w.AvailableBuffer(), int64(len(o.body)), 10))
	_, _ = w.WriteString("\r\n\r\n")
	_, _ = w.Write(o.body)
	return w.Flush()
}

// oneLine keeps a header's value from starting another header.
func oneLine(value string) string {
	if !strings.ContainsAny(value, "\r\n\x00") {
		return value
	}
	return strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ").Replace(value)
}

// readAnswer takes what matters of an answer, with its body.
func readAnswer(answer *http.Response) (*Response, error) {
	var body []byte
	var err error
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
