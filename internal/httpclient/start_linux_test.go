package httpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

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

// A backend that answers before it is asked is taken at its word, as by Do.
func TestStartAnsweredBefore(t *testing.T) {
	t.Parallel()
	url := script(t, func(_ int, c *net.TCPConn, _ *bufio.Reader) {
		answer(c, "early")
		_, _ = io.Copy(io.Discard, c)
	})
	ask(t, newClient(t), newLoop(t), request(t, url, "x")).want(t, "early")
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
