package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// client is a connected WebSocket client.
type client struct {
	*websocket.Conn
	t  *testing.T
	id string // of the connection
}

// dial connects to the stage with the query, "?name=Ada" for example.
func (d *dev) dial(query string) *client {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, d.webSocketURL()+query, &websocket.DialOptions{
		HTTPHeader: http.Header{"User-Agent": {"conformance"}},
	})
	if err != nil {
		d.t.Fatalf("connect: %v (%+v)", err, response)
	}
	d.t.Cleanup(func() { _ = conn.CloseNow() })
	connected := d.await("connect", func(e event) bool { return e.Status == http.StatusSwitchingProtocols })
	return &client{conn, d.t, connected.ConnectionID}
}

func (c *client) send(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %s: %v", text, err)
	}
}

// receive waits for the next message.
func (c *client) receive() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		c.t.Fatalf("receive: %v", err)
	}
	return string(data)
}

// expect fails the test unless the next message is JSON that equals want's.
func (c *client) expect(want string) {
	c.t.Helper()
	got := c.receive()
	if diff := cmp.Diff(decode(c.t, want), decode(c.t, got)); diff != "" {
		c.t.Fatalf("received something else than %s (-want +got):\n%s", want, diff)
	}
}

func decode(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("not JSON: %v: %s", err, text)
	}
	return value
}

// close closes the connection as a client that is done does.
func (c *client) close() {
	c.t.Helper()
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.t.Fatalf("close: %v", err)
	}
}

// expectClose fails the test unless the gateway closes the connection next.
func (c *client) expectClose(code websocket.StatusCode, reason string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := c.Read(ctx)
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code || closed.Reason != reason {
		c.t.Errorf("received %q, %v, want a close frame with %d %q", data, err, code, reason)
	}
}
