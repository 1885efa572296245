package httpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	neturl "net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/turnstile"
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

func TestStartKeepsConnections(t *testing.T) {
	t.Parallel()
	server, connections := echoServer(t)
	server.Start()
	client, loop := newClient(t), newLoop(t)
	for i := range 5 {
		body := fmt.Sprint("message ", i)
		ask(t, client, loop, request(t, server.URL, body)).want(t, body)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for requests one after the other", n)
	}
}

// Every way of answering comes to the same by Start as by Do, however it is cut into two
// pieces; and so does what is not an answer.
func TestStartAsDo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for name, wire := range map[string]string{
		"length":         ok + "Content-Length: 2\r\nX: y\r\n\r\nhi",
		"nothing":        ok + "Content-Length: 0\r\n\r\n",
		"chunks":         ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;a=b\r\ni\r\n0\r\nX: y\r\n\r\n",
		"until closed":   ok + "\r\nhi" + "close",
		"HTTP/1.0":       "HTTP/1.0 404 Not Found\r\n\r\nhi" + "close",
		"no content":     "HTTP/1.1 204 No Content\r\n\r\n",
		"early hints":    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi",
		"that it ends":   ok + "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
		"more":           ok + "Content-Length: 2\r\n\r\nhi" + ok,
		"long":           ok + "Content-Length: 100000\r\n\r\n" + long,
		"long chunk":     ok + "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + long + "\r\n0\r\n\r\n",
		"garbage":        "SSH-2.0-nothing\r\n\r\n",
		"cut short":      ok + "Content-Length: 5\r\n\r\nhi" + "close",
		"cut header":     ok + "Content-" + "close",
		"cut chunk":      ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nh" + "close",
		"not a chunk":    ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
		"upgrade":        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"large header":   ok + "X: " + strings.Repeat("x", maxAnswerHeader) + "\r\n\r\n",
		"too large":      ok + "Content-Length: 99999999\r\n\r\n",
		"nothing at all": "close",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire, closes := strings.CutSuffix(wire, "close")
			cuts := make(chan int, 1)
			url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
				if _, ok := receive(in); !ok {
					return
				}
				cut := <-cuts
				_, _ = io.WriteString(c, wire[:cut])
				if cut > 0 {
					time.Sleep(time.Millisecond) // so that the pieces come one by one; they need not
				}
				_, _ = io.WriteString(c, wire[cut:])
				if closes {
					_ = c.CloseWrite()
				}
				_, _ = io.Copy(io.Discard, c)
			})
			client, loop := newClient(t), newLoop(t)
			r := request(t, url, "x")
			r.Header = Header{{"Connection", "close"}} // so that there is a connection for each
			cuts <- 0
			want, wantErr := client.Do(t.Context(), r)
			client.pool.sweep(time.Now().Add(idleTimeout))
			for cut := 0; cut <= len(wire); cut += 1 + len(wire)/50 {
				cuts <- cut
				got := ask(t, client, loop, r)
				if !reflect.DeepEqual(want, got.Response) || fmt.Sprint(got.err) != fmt.Sprint(wantErr) {
					t.Errorf("cut at %d: %v, %v; want %v, %v", cut, got.Response, got.err, want, wantErr)
				}
				quiet(t, loop, func() { sweepAll(client, loop) })
			}
		})
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

// A backend may close a connection between two requests; no request fails for that, and
// none is sent twice. It does so as the next request comes, too.
func TestStartReplacesClosedConnections(t *testing.T) {
	t.Parallel()
	var served atomic.Int32
	close1 := make(chan struct{})
	closed := make(chan struct{})
	url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
		body, ok := receive(in)
		if !ok {
			return
		}
		served.Add(1)
		answer(c, body)
		<-close1
		_ = c.Close()
		closed <- struct{}{}
	})
	client, loop := newClient(t), newLoop(t)
	for i := range 20 {
		body := fmt.Sprint(i)
		a := make(answers, 1)
		// The loop is kept busy while the backend closes the connection, so that the
		// request is sent before the loop can know.
		quiet(t, loop, func() {
			if i > 0 {
				close1 <- struct{}{}
				<-closed
			}
			client.Start(t.Context(), loop, request(t, url, body), a)
		})
		a.next(t).want(t, body)
	}
	if n := served.Load(); n != 20 {
		t.Errorf("%d requests came to the backend", n)
	}
	close(close1)
	<-closed
	noSockets(t, client)
}

// A request that a backend has received is not sent again, unless its method allows it.
func TestStartSendsOnce(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn){
		"closed": func(c *net.TCPConn) { _ = c.CloseWrite() },
		"reset":  func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				var came atomic.Int32
				url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
					for i := 0; ; i++ {
						body, ok := receive(in)
						if !ok {
							return
						}
						came.Add(1)
						if i == 1 && n == 0 {
							end(c)
							return
						}
						answer(c, body)
					}
				})
				client, loop := newClient(t), newLoop(t)
				r := request(t, url, "x")
				r.Method = method
				ask(t, client, loop, r).want(t, "x")
				o := ask(t, client, loop, r)
				if method == http.MethodPut {
					o.want(t, "x")
				} else if o.err == nil {
					t.Errorf("answered: %+v", o.Response)
				}
				if want := map[string]int32{http.MethodPost: 2, http.MethodPut: 3}[method]; came.Load() != want {
					t.Errorf("the backend got %d requests, want %d", came.Load(), want)
				}
			})
		}
	}
}

// Bytes that come behind an answer, or while a connection is idle, are no answer to the
// next request.
func TestStartDropsConnectionsThatSayMore(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	url := script(t, func(n int, c *net.TCPConn, in *bufio.Reader) {
		body, ok := receive(in)
		if !ok {
			return
		}
		answer(c, body)
		if n == 0 {
			<-more
			answer(c, "nobody asked for it")
		}
		_, _ = io.Copy(io.Discard, c)
	})
	client, loop := newClient(t), newLoop(t)
	ask(t, client, loop, request(t, url, "one")).want(t, "one")
	close(more)
	noSockets(t, client)
	ask(t, client, loop, request(t, url, "two")).want(t, "two")
}

// A backend that answers before it is asked is taken at its word, as by Do.
func TestStartAnsweredBefore(t *testing.T) {
	t.Parallel()
	url := script(t, func(_ int, c *net.TCPConn, _ *bufio.Reader) {
		answer(c, "early")
		_, _ = io.Copy(io.Discard, c)
	})
	ask(t, newClient(t), newLoop(t), request(t, url, "x")).want(t, "early")
}

// A call ends in time, and with its context, whatever the backend does or does not.
func TestStartEnds(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]func(c *net.TCPConn){
		"silent": func(*net.TCPConn) {},
		"dribbling": func(c *net.TCPConn) {
			_, _ = io.WriteString(c, ok+"Content-Length: 100000\r\n\r\n")
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		},
	} {
		for _, by := range []string{"deadline", "context", "close"} {
			t.Run(name+" "+by, func(t *testing.T) {
				t.Parallel()
				received := make(chan struct{}, 1)
				url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
					_, _ = receive(in)
					received <- struct{}{}
					each(c)
				})
				client, loop := newClient(t), newLoop(t)
				r := request(t, url, "x")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := context.Canceled
				if by == "deadline" {
					r.Timeout, want = 50*time.Millisecond, context.DeadlineExceeded
				}
				a := start(ctx, client, loop, r)
				if by != "deadline" {
					<-received
				}
				if by == "close" {
					client.Close() // lets calls end by themselves
				}
				if by != "deadline" {
					cancel()
				}
				if o := a.next(t); !errors.Is(o.err, want) {
					t.Errorf("%+v, %v; want %v", o.Response, o.err, want)
				}
				if used, calls := sockets(client); used != 0 || calls != 0 {
					t.Errorf("%d sockets, %d calls", used, calls)
				}
			})
		}
	}
}

// An endless answer is refused at its bound, and a loop has turns for others meanwhile.
func TestStartFlooded(t *testing.T) {
	t.Parallel()
	piece := strings.Repeat("x", 8<<10)
	for name, wire := range map[string][2]string{
		"header":        {ok + "X: ", piece},
		"chunk line":    {ok + "Transfer-Encoding: chunked\r\n\r\n1;", piece},
		"chunks":        {ok + "Transfer-Encoding: chunked\r\n\r\n", "2000\r\n" + piece + "\r\n"},
		"trailer":       {ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"},
		"until the end": {ok + "\r\n", piece},
		"hints":         {"", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
				if _, ok := receive(in); !ok {
					return
				}
				_, err := io.WriteString(c, wire[0])
				for err == nil {
					_, err = io.WriteString(c, wire[1])
				}
			})
			neighbour, _ := echoServer(t)
			neighbour.Start()
			client, loop := newClient(t), newLoop(t)
			flooded := start(t.Context(), client, loop, request(t, url, "x"))
			ask(t, client, loop, request(t, neighbour.URL, "hello")).want(t, "hello")
			if o := flooded.next(t); o.err == nil || errors.Is(o.err, context.DeadlineExceeded) {
				t.Errorf("%v", o.err)
			}
		})
	}
}

// The largest answer comes whole, and the loop reads a part of it at a time.
func TestStartLargest(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("0123456789abcdef", MaxResponseBytes/16)
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		for {
			if _, ok := receive(in); !ok {
				return
			}
			answer(c, body)
		}
	})
	client, loop := newClient(t), newLoop(t)
	for range 2 {
		ask(t, client, loop, request(t, url, "x")).want(t, body)
	}
}

// A request that the backend does not read at once is sent in parts, however large it is.
func TestStartPartialWrites(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("h", 8<<20) // more than sockets take
	for name, r := range map[string]*Request{
		"header": {Body: []byte("x"), Header: Header{{"X-Large", large}}},
		"body":   {Body: []byte(large)},
		"both":   {Body: []byte(large), Header: Header{{"X-Large", large}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := make(chan struct{})
			url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
				<-read
				echoes(c, in)
			})
			client, loop := newClient(t), newLoop(t)
			whole := request(t, url, string(r.Body))
			whole.Header = r.Header
			a := start(t.Context(), client, loop, whole)
			quiet(t, loop, func() {})
			close(read)
			a.next(t).want(t, string(r.Body))
			ask(t, client, loop, whole).want(t, string(r.Body))
		})
	}
}

// Calls beyond the bound wait and come in order; there are never more sockets than the
// bound, over all loops and with calls that block.
func TestStartBound(t *testing.T) {
	t.Parallel()
	const bound, calls = 8, 10_000
	var open, most atomic.Int32
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		n := open.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		echoes(c, in)
		_ = c.Close()
		open.Add(-1)
	})
	client := New(Options{Bounds: turnstile.Bounds{Calls: bound, Waiting: calls}})
	t.Cleanup(client.Close)
	loop := newLoop(t)
	a := make(answers, calls)
	loop.Post(func() {
		for i := range calls {
			client.Start(t.Context(), loop, request(t, url, fmt.Sprint(i)), a)
		}
	})
	for i := range calls {
		// The order among those that are under way is the network's.
		var n int
		o := a.next(t)
		if o.err != nil {
			t.Fatal(o.err)
		}
		if _, err := fmt.Sscan(string(o.Response.Body), &n); err != nil || n >= i+bound {
			t.Fatalf("answer %d is %q: %v", i, o.Response.Body, err)
		}
	}
	other := newLoop(t)
	both := make(answers, 2*calls)
	var blocking sync.WaitGroup
	for _, loop := range []*eventloop.Loop{loop, other} {
		loop.Post(func() {
			for range calls / 10 {
				client.Start(t.Context(), loop, request(t, url, "x"), both)
			}
		})
		blocking.Go(func() {
			for range calls / 100 {
				if r, err := client.Do(t.Context(), request(t, url, "y")); err != nil || string(r.Body) != "y" {
					t.Error(err)
				}
			}
		})
	}
	for range 2 * calls / 10 {
		both.next(t).want(t, "x")
	}
	blocking.Wait()
	if used, n := sockets(client); used > bound || n != 0 {
		t.Errorf("%d sockets, %d calls", used, n)
	}
	// A socket that makes room for another may be closed a moment after that has opened.
	if n := most.Load(); n > 2*bound {
		t.Errorf("%d connections at a time, want %d", n, bound)
	}
}

// A call that waits for its turn ends in time, and with its context.
func TestStartEndsWaiting(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		_, _ = receive(in)
		<-release
		answer(c, "x")
		echoes(c, in)
	})
	client := New(Options{Bounds: turnstile.Bounds{Calls: 1, Waiting: 2}})
	t.Cleanup(client.Close)
	loop := newLoop(t)
	first := start(t.Context(), client, loop, request(t, url, "x"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	short := request(t, url, "x")
	short.Timeout = 20 * time.Millisecond
	late, interrupted := start(ctx, client, loop, short), start(ctx, client, loop, request(t, url, "x"))
	if o := ask(t, client, loop, request(t, url, "x")); !errors.Is(o.err, turnstile.ErrFull) {
		t.Errorf("beyond the line: %v", o.err)
	}
	if o := late.next(t); !errors.Is(o.err, context.DeadlineExceeded) {
		t.Errorf("late: %v", o.err)
	}
	cancel()
	if o := interrupted.next(t); !errors.Is(o.err, context.Canceled) {
		t.Errorf("interrupted: %v", o.err)
	}
	second := start(t.Context(), client, loop, request(t, url, "y"))
	close(release)
	first.next(t).want(t, "x")
	second.next(t).want(t, "y")
}

// What a loop does not send itself comes to the same: names, TLS, large bodies; and the
// address of a VPC link takes the place of the URL's.
func TestStartOtherWays(t *testing.T) {
	t.Parallel()
	plain, _ := echoServer(t)
	plain.Start()
	encrypted, _ := echoServer(t)
	encrypted.StartTLS()
	link := New(Options{Address: plain.Listener.Addr().String()})
	t.Cleanup(link.Close)
	loop := newLoop(t)
	for name, test := range map[string]struct {
		client    *Client
		url, body string
	}{
		"name":  {newClient(t), strings.Replace(plain.URL, "127.0.0.1", "localhost", 1), "x"},
		"TLS":   {trusting(t, encrypted), encrypted.URL, "x"},
		"large": {newClient(t), plain.URL, strings.Repeat("x", maxPlainBody+1)},
		"link":  {link, "http://nowhere.invalid:1/", "x"},
	} {
		for range 2 {
			if o := ask(t, test.client, loop, request(t, test.url, test.body)); o.err != nil || string(o.Response.Body) != test.body {
				t.Errorf("%s: %v", name, o.err)
			}
		}
	}
	nobody := strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)
	plain.Close()
	for _, url := range []string{nobody, plain.URL} {
		if o := ask(t, newClient(t), loop, request(t, url, "x")); o.err == nil || !strings.Contains(o.err.Error(), "connection refused") {
			t.Errorf("%s: %v", url, o.err)
		}
	}
}

// Idle sockets are closed after a while, and nothing is left of their backend.
func TestStartIdle(t *testing.T) {
	t.Parallel()
	server, connections := echoServer(t)
	server.Start()
	client, loop := newClient(t), newLoop(t)
	ask(t, client, loop, request(t, server.URL, "x")).want(t, "x")
	if used, _ := sockets(client); used != 1 {
		t.Errorf("%d sockets are idle", used)
	}
	quiet(t, loop, func() { sweepAll(client, loop) })
	if used, _ := sockets(client); used != 0 || len(client.sockets.backends) != 0 {
		t.Errorf("%d sockets, %d backends are left", used, len(client.sockets.backends))
	}
	ask(t, client, loop, request(t, server.URL, "x")).want(t, "x")
	if n := connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	client.Close()
	quiet(t, loop, func() {})
	if used, _ := sockets(client); used != 0 {
		t.Errorf("%d sockets after the end", used)
	}
}

// When a loop has ended, calls that it was to end are ended all the same, and its sockets
// are closed.
func TestStartOnEndedLoop(t *testing.T) {
	t.Parallel()
	received := make(chan struct{}, 1)
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		_, _ = receive(in)
		received <- struct{}{}
		_, _ = io.Copy(io.Discard, c)
	})
	server, _ := echoServer(t)
	server.Start()
	client, loop := newClient(t), newLoop(t)
	ask(t, client, loop, request(t, server.URL, "x")).want(t, "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := start(ctx, client, loop, request(t, url, "x"))
	<-received
	loop.Close()
	cancel()
	if o := a.next(t); !errors.Is(o.err, context.Canceled) {
		t.Errorf("%+v, %v", o.Response, o.err)
	}
	client.Close()
	noSockets(t, client)
}
