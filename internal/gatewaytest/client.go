package gatewaytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Client is a connected WebSocket client.
type Client struct {
	*websocket.Conn
	Response *http.Response // of the handshake
	t        testing.TB
}

// Dial connects to a path and fails the test when it is refused.
func (g *Gateway) Dial(path string, options ...func(*websocket.DialOptions)) *Client {
	g.t.Helper()
	c, response, err := g.TryDial(path, options...)
	if err != nil {
		g.t.Fatalf("dial %s: %v (%+v)", path, err, response)
	}
	return c
}

// TryDial connects to a path. It returns the response also if the handshake was
// refused, with its body in memory.
func (g *Gateway) TryDial(path string, options ...func(*websocket.DialOptions)) (*Client, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	o := &websocket.DialOptions{HTTPHeader: http.Header{}, HTTPClient: &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, option := range options {
		option(o)
	}
	conn, response, err := websocket.Dial(ctx, "ws://"+g.Address+path, o)
	if err != nil {
		return nil, response, err
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	return &Client{conn, response, g.t}, response, nil
}

// Host sets the Host line of a handshake.
func Host(name string) func(*websocket.DialOptions) {
	return func(o *websocket.DialOptions) { o.Host = name }
}

// Header adds a header line to the handshake.
func Header(name, value string) func(*websocket.DialOptions) {
	return func(o *websocket.DialOptions) { o.HTTPHeader[name] = append(o.HTTPHeader[name], value) }
}

// Send sends a text message.
func (c *Client) Send(text string) { c.t.Helper(); Send(c.t, c.Conn, text) }

// Receive waits for the next message, which must be text.
func (c *Client) Receive() string { c.t.Helper(); return Receive(c.t, c.Conn) }

// Send sends a text message.
func Send(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// Receive waits for the next message, which must be text.
func Receive(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	c.SetReadLimit(1 << 20)
	kind, data, err := c.Read(ctx)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	if kind != websocket.MessageText {
		t.Fatalf("received a binary message: %q", data)
	}
	return string(data)
}

// Ask sends a text message and waits for the next one.
func Ask(t testing.TB, c *websocket.Conn, text string) string {
	t.Helper()
	Send(t, c, text)
	return Receive(t, c)
}

// IsPinged connects to a URL, http://…, sends nothing, and reports whether the
// server sends a ping within a time.
func IsPinged(t testing.TB, url string, within time.Duration) bool {
	t.Helper()
	pinged := make(chan struct{}, 1)
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1), &websocket.DialOptions{
		HTTPClient: HTTPClient,
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pinged <- struct{}{}:
			default:
			}
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.CloseRead(ctx)
	select {
	case <-pinged:
		return true
	case <-time.After(within):
		return false
	}
}

// WaitClosed reads on until the server closes, and returns its close code and
// reason.
func (c *Client) WaitClosed() (code int, reason string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	for {
		_, _, err := c.Read(ctx)
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return int(closed.Code), closed.Reason
		}
		if err != nil {
			c.t.Fatalf("waiting for the close frame: %v", err)
		}
	}
}

// HTTPClient keeps no connections: an idle one would outlive its test.
var HTTPClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Timeout}

// Do sends an HTTP request and returns the answer with its body.
func (g *Gateway) Do(method, url string, body []byte, headers ...string) (*http.Response, string) {
	g.t.Helper()
	return Do(g.t, method, url, body, headers...)
}

// Do sends an HTTP request and returns the answer with its body. Headers are names
// and values in turn.
func Do(t testing.TB, method, url string, body []byte, headers ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := HTTPClient.Transport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return response, string(data)
}
