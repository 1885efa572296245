package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
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

// Do sends a request and returns the answer. The request's context bounds it.
func (t *Transport) Do(r *http.Request) (*Response, error) {
	if r.URL.Scheme == "http" && r.ContentLength <= maxPlainBody {
		return t.plain(r)
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

func (t *Transport) plain(r *http.Request) (*Response, error) {
	address := r.URL.Host
	if r.URL.Port() == "" {
		address = net.JoinHostPort(r.URL.Hostname(), "80")
	}
	c, err := t.take(r.Context(), address)
	if err != nil {
		return nil, err
	}
	deadline, _ := r.Context().Deadline() // none: the zero time, which lifts an earlier one
	_ = c.SetDeadline(deadline)
	stop := context.AfterFunc(r.Context(), func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	answer, reusable, err := c.exchange(r)
	if !stop() && err == nil {
		err = r.Context().Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = context.DeadlineExceeded // the socket's timer may run out a moment before the context's
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
func (t *Transport) take(ctx context.Context, address string) (*httpConn, error) {
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
func (c *httpConn) exchange(r *http.Request) (response *Response, reusable bool, err error) {
	if err := r.Write(c.writer); err != nil {
		return nil, false, err
	}
	if err := c.writer.Flush(); err != nil {
		return nil, false, err
	}
	for {
		c.input.N = maxAnswerHeader
		answer, err := http.ReadResponse(c.reader, r)
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
