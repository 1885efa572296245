package httpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// roundTrip makes a request and returns the answer's status and body.
func roundTrip(t *testing.T, client *Client, url, body string) (status int, answer string, err error) {
	t.Helper()
	return callContext(t.Context(), client, url, body)
}

func callContext(ctx context.Context, client *Client, url, body string) (status int, answer string, err error) {
	target, err := neturl.Parse(url)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(ctx, &Request{
		Method: http.MethodPost, URL: target, Body: []byte(body), Timeout: time.Minute,
		Header: Header{{"X-Test", "one\r\nContent-Length: 7"}}, // must not become two lines
	})
	if err != nil {
		return 0, "", err
	}
	return response.Status, string(response.Body), nil
}

// idle is how many connections a client keeps for later requests.
func idle(c *Client) int {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	n := 0
	for _, l := range c.pool.backends {
		n += len(l.list)
	}
	return n
}

func newClient(t *testing.T) *Client {
	t.Helper()
	client := New(Options{})
	t.Cleanup(client.Close)
	return client
}

// echoServer answers with request bodies and counts its connections.
func echoServer(t *testing.T) (server *httptest.Server, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(body)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	t.Cleanup(server.Close)
	return server, connections
}

// wire is a server whose answers are written out: each connection gets one,
// and is closed when it ends with "close".
func wire(t *testing.T, answers ...string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for _, answer := range answers {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			if request, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
			}
			answer, closes := strings.CutSuffix(answer, "close")
			_, _ = io.WriteString(c, answer)
			if closes {
				_ = c.Close()
			}
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestClientKeepsConnections(t *testing.T) {
	t.Parallel()
	server, connections := echoServer(t)
	server.Start()
	client := newClient(t)
	for i := range 5 {
		want := fmt.Sprint("message ", i)
		if status, got, err := roundTrip(t, client, server.URL, want); status != http.StatusOK || got != want || err != nil {
			t.Fatalf("%d, %q, %v", status, got, err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for requests one after the other", n)
	}
}

// A connection that the server has closed while it was idle is not used again.
func TestClientReplacesClosedConnections(t *testing.T) {
	t.Parallel()
	server, _ := echoServer(t)
	server.Start()
	client := newClient(t)
	for range 3 {
		if _, got, err := roundTrip(t, client, server.URL, "hello"); got != "hello" || err != nil {
			t.Fatal(got, err)
		}
		server.CloseClientConnections()
	}
}

// What servers may answer.
func TestClientAnswers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, wire string
		status     int
		body       string
	}{
		{"length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", 200, "hi"},
		{"until closed", "HTTP/1.1 200 OK\r\n\r\nhi" + "close", 200, "hi"},
		{"HTTP/1.0", "HTTP/1.0 404 Not Found\r\n\r\nhi" + "close", 404, "hi"},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
		{"early hints", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// The second request goes over a new connection or, where the first
			// allows it, over the same, whose server says nothing more.
			url := wire(t, test.wire)
			if status, body, err := roundTrip(t, newClient(t), url, "x"); status != test.status || body != test.body || err != nil {
				t.Errorf("%d, %q, %v", status, body, err)
			}
		})
	}
}

func TestClientBadAnswers(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"none":         "close",
		"garbage":      "SSH-2.0-nothing\r\n\r\n",
		"cut short":    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi" + "close",
		"cut header":   "HTTP/1.1 200 OK\r\nContent-" + "close",
		"upgrade":      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"large header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxAnswerHeader) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t)
			if status, body, err := roundTrip(t, client, wire(t, answer), "x"); err == nil {
				t.Errorf("%d, %q", status, body)
			}
			if idle(client) > 0 {
				t.Error("the connection is kept")
			}
		})
	}
}

// Bytes after an answer would be taken for the next one.
func TestClientDropsConnectionsThatSayMore(t *testing.T) {
	t.Parallel()
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
	url := wire(t, answer+"hi"+answer+"no", answer+"ho")
	client := newClient(t)
	for _, want := range []string{"hi", "ho"} {
		if _, got, err := roundTrip(t, client, url, "x"); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// A request that is cancelled ends at once, while it waits for an answer and
// while it reads one.
func TestClientCancel(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{"silent": "", "halfway": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, _, err := callContext(ctx, client, wire(t, answer), "x")
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if idle(client) > 0 {
				t.Error("the connection is kept")
			}
		})
	}
}

func TestClientIdleConnections(t *testing.T) {
	t.Parallel()
	server, connections := echoServer(t)
	server.Start()
	client := newClient(t)
	for i, age := range []time.Duration{-time.Hour, time.Hour} {
		if _, _, err := roundTrip(t, client, server.URL, "x"); err != nil {
			t.Fatal(err)
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("request %d: %d connections", i+1, n)
		}
		client.pool.sweep(time.Now().Add(idleTimeout + age))
	}
	if idle(client) > 0 || client.pool.timer != nil {
		t.Error("idle connections are left")
	}
	if _, _, err := roundTrip(t, client, server.URL, "x"); err != nil || connections.Load() != 2 {
		t.Errorf("%v; %d connections", err, connections.Load())
	}
}

// The rest is left to net/http.
func TestClientGeneral(t *testing.T) {
	t.Parallel()
	plain, _ := echoServer(t)
	plain.Start()
	encrypted, _ := echoServer(t)
	encrypted.StartTLS()
	for name, test := range map[string]struct{ url, body string }{
		"TLS":   {encrypted.URL, "x"},
		"large": {plain.URL, strings.Repeat("x", maxPlainBody+1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := trusting(t, encrypted)
			if _, got, err := roundTrip(t, client, test.url, test.body); got != test.body || err != nil {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if idle(client) > 0 {
				t.Error("a connection of its own")
			}
		})
	}
}

func TestClientUnreachable(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	if _, _, err := roundTrip(t, newClient(t), "http://"+listener.Addr().String(), "x"); err == nil {
		t.Error("no error")
	}
}
