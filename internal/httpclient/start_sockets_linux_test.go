package httpclient

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

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

// A socket whose slot another call has taken may be used once more before it is dropped.
// It is kept then, with the slot that it came back with.
func TestStartUsesWhatIsToBeDropped(t *testing.T) {
	t.Parallel()
	server, connections := echoServer(t)
	server.Start()
	client := New(Options{Bounds: turnstile.Bounds{Calls: 1}})
	t.Cleanup(client.Close)
	loop := newLoop(t)
	ask(t, client, loop, request(t, server.URL, "x")).want(t, "x")
	quiet(t, loop, func() {
		var elsewhere keeper
		h := client.loops.find(loop).host(strings.TrimPrefix(server.URL, "http://"))
		client.sockets.join(&elsewhere, h.backend, 1)
		at := elsewhere.take() // the idle socket's slot
		elsewhere.move(at)
		elsewhere.free() // that call has failed
		h.take()
		h.put(h.pop()) // a call has used the socket meanwhile
		at.drop()
		if !elsewhere.quit() {
			t.Error("the other keeper has something left")
		}
	})
	quiet(t, loop, func() {}) // dropped
	if used, _ := sockets(client); used != 1 {
		t.Errorf("%d slots are used", used)
	}
	ask(t, client, loop, request(t, server.URL, "y")).want(t, "y")
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}
