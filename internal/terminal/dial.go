package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/coder/websocket"
)

// refusalLimit is how much of a refusal's body is kept, in bytes.
const refusalLimit = 1 << 20

// RefusedError is a handshake that the server answered with something other
// than 101.
type RefusedError struct {
	Status string // for example "403 Forbidden"
	Header http.Header
	Body   []byte // at most 1 MiB of it
}

func (e *RefusedError) Error() string { return "server refused the handshake: " + e.Status }

// NormalizeURL returns the WebSocket URL that a text stands for: without a
// scheme it is one with ws, and http and https stand for ws and wss.
func NormalizeURL(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "ws://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	case "ws", "wss":
	default:
		return "", fmt.Errorf("%q is not a WebSocket URL: its scheme must be ws or wss", text)
	}
	if u.Host == "" {
		return "", fmt.Errorf("%q names no host", text)
	}
	return u.String(), nil
}

// dial runs the handshake.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = c.TLS
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	defer transport.CloseIdleConnections()
	handshake := &handshakeTransport{base: transport}

	header := c.Header.Clone()
	host := header.Get("Host") // net/http takes it from the request, not from its header
	header.Del("Host")
	conn, _, err := websocket.Dial(ctx, c.URL, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient: &http.Client{
			Transport:     handshake,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:     header,
		Host:           host,
		Subprotocols:   c.Subprotocols,
		OnPingReceived: c.Printer.ping,
		OnPongReceived: c.Printer.pong,
	})
	if handshake.refused != nil {
		return nil, handshake.refused
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", c.URL, dialCause(err))
	}
	conn.SetReadLimit(-1)
	return conn, nil
}

// dialCause returns the part of a failed dial that is about the network or
// the handshake, without the request line that net/http puts in front.
func dialCause(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}

// handshakeTransport keeps the whole body of a refusal. The library keeps only
// the first kilobyte.
type handshakeTransport struct {
	base    http.RoundTripper
	refused *RefusedError
}

func (t *handshakeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, refusalLimit))
	resp.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the body of a %s answer: %w", resp.Status, err)
	}
	t.refused = &RefusedError{Status: resp.Status, Header: resp.Header, Body: body}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
