package stagedoortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// maxPassed is how many messages a failure shows of those that came before.
const maxPassed = 10

// maxMessage is the size of the largest message that a client takes, in bytes: more
// than a gateway sends.
const maxMessage = 1 << 20

// Client is a WebSocket client. Its methods fail the test, and are called by the
// test's goroutine.
type Client struct {
	t      testing.TB
	conn   *websocket.Conn
	passed []string // the last messages that it took

	patience time.Duration // how long a message may take
}

// Connect opens a connection to the application's only stage. The query is that of
// the URL, "name=Ada", or empty.
func (g *Gateway) Connect(query string) *Client {
	g.t.Helper()
	return g.Dial(g.StageURL()+question(query), nil)
}

// Dial opens a connection to a URL, with the scheme ws, and with header lines.
func (g *Gateway) Dial(url string, header http.Header) *Client {
	g.t.Helper()
	conn, status, err := dial(url, header)
	if err != nil {
		g.t.Fatalf("connect to %s: %v%s", url, err, status)
	}
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(maxMessage)
	return &Client{t: g.t, conn: conn, patience: deadline}
}

// ExpectRefusal connects to the application's only stage, which must refuse it with
// a status, and returns the answer's body.
func (g *Gateway) ExpectRefusal(query string, status int) string {
	g.t.Helper()
	url := g.StageURL() + question(query)
	conn, refusal, err := dial(url, nil)
	switch {
	case err == nil:
		_ = conn.CloseNow()
		g.t.Fatalf("%s lets the client in; it should refuse it with %d", url, status)
	case refusal == nil || refusal.status != status:
		g.t.Fatalf("%s should refuse the client with %d: %v%s", url, status, err, refusal)
	}
	return refusal.body
}

func question(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

// refusal is the answer to a handshake that was refused.
type refusal struct {
	status int
	body   string
}

func (r *refusal) String() string {
	if r == nil {
		return ""
	}
	return "; the answer is: " + r.body
}

func dial(url string, header http.Header) (*websocket.Conn, *refusal, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPHeader: header, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	if err == nil || response == nil {
		return conn, nil, err
	}
	body, _ := io.ReadAll(response.Body) // at most 1 KiB, in memory
	return nil, &refusal{response.StatusCode, string(body)}, err
}

// Send sends a text message.
func (c *Client) Send(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatalf("send %s: %v%s", text, err, c.before())
	}
}

// Receive waits for the next message and returns it.
func (c *Client) Receive() string {
	c.t.Helper()
	text, err := c.next()
	if err != nil {
		c.t.Fatalf("no message: %v%s", err, c.before())
	}
	return text
}

// Expect waits for the next message, which must fit. A JSON object fits one that has
// its members, and more perhaps, at any depth; other JSON fits what is equal, and
// text that is no JSON the same text.
func (c *Client) Expect(want string) {
	c.t.Helper()
	before := c.before()
	got, err := c.next()
	switch {
	case err != nil:
		c.t.Fatalf("%s should come, but: %v%s", want, err, before)
	case !fits(want, got):
		c.t.Fatalf("another message came:\n  want %s\n   got %s%s", want, got, before)
	}
}

// Await waits for a message that fits, as Expect says. Others that come before it are
// passed over: broadcasts, for instance, that overtake an answer.
func (c *Client) Await(want string) {
	c.t.Helper()
	for {
		got, err := c.next()
		if err != nil {
			c.t.Fatalf("%s should come, but: %v%s", want, err, c.before())
		}
		if fits(want, got) {
			return
		}
	}
}

// ExpectClose waits until the gateway closes the connection, with a code such as 1000
// or 1008. No message may come before.
func (c *Client) ExpectClose(code int) {
	c.t.Helper()
	got, err := c.next()
	var closed websocket.CloseError
	switch {
	case err == nil:
		c.t.Fatalf("the connection should be closed with %d; a message came: %s", code, got)
	case !errors.As(err, &closed) || closed.Code != websocket.StatusCode(code):
		c.t.Fatalf("the connection should be closed with %d, but: %v%s", code, err, c.before())
	}
}

// Close closes the connection with 1000, and waits for the gateway to agree.
func (c *Client) Close() {
	c.t.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		c.t.Fatalf("close: %v", err)
	}
}

// next takes a message.
func (c *Client) next() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.patience)
	defer cancel()
	_, text, err := c.conn.Read(ctx)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("nothing came for %v", c.patience)
	case err != nil:
		return "", err
	}
	if c.passed = append(c.passed, string(text)); len(c.passed) > maxPassed {
		c.passed = c.passed[1:]
	}
	return string(text), nil
}

// before shows what the client received, for a failure.
func (c *Client) before() string {
	if len(c.passed) == 0 {
		return "\nno message came before"
	}
	return "\nbefore it came, the last one last:\n  " + strings.Join(c.passed, "\n  ")
}

// fits reports whether a message is what was wanted.
func fits(want, got string) bool {
	if want == got {
		return true
	}
	var wanted, given any
	if json.Unmarshal([]byte(want), &wanted) != nil || json.Unmarshal([]byte(got), &given) != nil {
		return false
	}
	return holds(wanted, given)
}

// holds reports whether a value has all that is wanted of it.
func holds(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for name, value := range want {
			member, there := object[name]
			if !ok || !there || !holds(value, member) {
				return false
			}
		}
		return ok
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !holds(want[i], list[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(want, got)
}
