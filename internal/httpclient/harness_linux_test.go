package httpclient

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// newLoop starts an event loop, which ends with the test.
func newLoop(t testing.TB) *eventloop.Loop {
	t.Helper()
	loop, err := eventloop.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(loop.Close)
	return loop
}

// outcome is what a call came to. It is the test's.
type outcome struct {
	Response *Response
	err      error
}

// answers takes the answers to calls, copied, in the order in which they come.
type answers chan outcome

// Answer implements Caller.
func (a answers) Answer(r *Response, err error) {
	if r != nil {
		r = &Response{Status: r.Status, Header: r.Header, Body: bytes.Clone(r.Body)}
	}
	a <- outcome{r, err}
}

// next is the next answer.
func (a answers) next(t testing.TB) outcome {
	t.Helper()
	select {
	case o := <-a:
		return o
	case <-time.After(patience):
		t.Fatal("no answer")
		return outcome{}
	}
}

// request is a request for a URL, with a body.
func request(t testing.TB, url, body string) *Request {
	t.Helper()
	target, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{Method: http.MethodPost, URL: target, Body: []byte(body), Timeout: patience}
}

// start starts a call on a loop.
func start(ctx context.Context, c *Client, loop *eventloop.Loop, r *Request) answers {
	a := make(answers, 1)
	loop.Post(func() { c.Start(ctx, loop, r, a) })
	return a
}

// ask is a whole call on a loop.
func ask(t testing.TB, c *Client, loop *eventloop.Loop, r *Request) outcome {
	t.Helper()
	return start(t.Context(), c, loop, r).next(t)
}

// want fails the test unless there is an answer with that body.
func (o outcome) want(t testing.TB, body string) {
	t.Helper()
	if o.err != nil || string(o.Response.Body) != body {
		t.Errorf("%+v, %v; want %q", o.Response, o.err, body)
	}
}

// script is a backend that does to each connection what its function does.
func script(t testing.TB, each func(n int, c *net.TCPConn, in *bufio.Reader)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var under sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		under.Wait()
	})
	under.Go(func() {
		for n := 0; ; n++ {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			under.Go(func() { each(n, c.(*net.TCPConn), bufio.NewReader(c)) }) //nolint:forcetypeassert // it is one
		}
	})
	return "http://" + listener.Addr().String()
}

// receive reads a request; ok is false when the client has gone.
func receive(in *bufio.Reader) (body string, ok bool) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return "", false
	}
	b, err := io.ReadAll(r.Body)
	return string(b), err == nil
}

// answer writes an answer with a body.
func answer(c net.Conn, body string) {
	_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// echoes answers all requests of a connection with their bodies.
func echoes(c net.Conn, in *bufio.Reader) {
	for {
		body, ok := receive(in)
		if !ok {
			return
		}
		answer(c, body)
	}
}

// quiet runs a function on the loop, and waits for it.
func quiet(t testing.TB, loop *eventloop.Loop, f func()) {
	t.Helper()
	loop.Post(f)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := loop.Ask(ctx); err != nil {
		t.Fatal(err)
	}
}

// sweepAll closes the idle sockets of a loop, as if they had been idle for long. It is
// called on the loop.
func sweepAll(c *Client, loop *eventloop.Loop) {
	if b := c.loops.find(loop); b != nil {
		b.sweeps += 2 * maxSweeps
		b.sweep()
	}
}

// sockets is how many sockets a client has.
func sockets(c *Client) (used, calls int) {
	c.sockets.mu.Lock()
	defer c.sockets.mu.Unlock()
	for _, s := range c.sockets.backends {
		s.mu.Lock()
		used += s.used
		for _, k := range s.keepers {
			calls += k.calls
		}
		s.mu.Unlock()
	}
	return used, calls
}

// noSockets waits until a client has no socket.
func noSockets(t testing.TB, c *Client) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		used, calls := sockets(c)
		if used == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("there are %d sockets, and %d calls", used, calls)
		}
	}
}
