package terminal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/terminal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a WebSocket server whose connections are handed to talk, and
// returns its URL.
func serve(t *testing.T, talk func(*websocket.Conn)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v2"}})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		defer conn.CloseNow()
		talk(conn)
	}))
	t.Cleanup(server.Close)
	url, err := terminal.NormalizeURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// echo answers messages in kind until the client closes.
func echo(conn *websocket.Conn) {
	for {
		typ, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if err := conn.Write(context.Background(), typ, data); err != nil {
			return
		}
	}
}

// closeWith says something and closes.
func closeWith(code websocket.StatusCode, reason string) func(*websocket.Conn) {
	return func(conn *websocket.Conn) {
		conn.Write(context.Background(), websocket.MessageText, []byte("bye"))
		conn.Close(code, reason)
	}
}

// output is a buffer that a client writes while a test looks.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// waitFor polls until the output contains text.
func (o *output) waitFor(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(o.String(), text); {
		if time.Now().After(deadline) {
			t.Fatalf("no %q in the output:\n%s", text, o.String())
		}
		time.Sleep(time.Millisecond)
	}
}

// newClient returns a client that prints to messages and status.
func newClient(url string) (client *terminal.Client, messages, status *output) {
	messages, status = new(output), new(output)
	return &terminal.Client{
		URL:     url,
		Wait:    -1,
		Printer: &terminal.Printer{Messages: messages, Status: status},
	}, messages, status
}

func TestPipedLinesAreMessages(t *testing.T) {
	t.Parallel()
	var got []string
	url := serve(t, func(conn *websocket.Conn) {
		for len(got) < 3 {
			_, data, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			got = append(got, string(data))
		}
		closeWith(websocket.StatusNormalClosure, "that's all")(conn)
	})
	client, messages, status := newClient(url)
	client.Input = terminal.PipedInput(strings.NewReader("one\r\n\n{\"action\":\"two\"}\nlast without newline"))
	if err := client.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one", `{"action":"two"}`, "last without newline"}, got); diff != "" {
		t.Errorf("messages at the server (-want +got):\n%s", diff)
	}
	if got, want := messages.String(), "bye\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	wantStatus := "Connected to " + url + "\nDisconnected (code: 1000, reason: \"that's all\")\n"
	if diff := cmp.Diff(wantStatus, status.String()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestClosesNormallyAfterTheWait(t *testing.T) {
	t.Parallel()
	closed := make(chan error, 1)
	url := serve(t, func(conn *websocket.Conn) {
		_, _, err := conn.Read(context.Background())
		if err == nil {
			_, _, err = conn.Read(context.Background())
		}
		closed <- err
	})
	client, _, status := newClient(url)
	client.Execute = []string{"hello"}
	client.Wait = time.Millisecond
	if err := client.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := websocket.CloseStatus(<-closed); code != websocket.StatusNormalClosure {
		t.Errorf("the server saw close code %d, want 1000", code)
	}
	if !strings.HasSuffix(status.String(), "Disconnected (code: 1000)\n") {
		t.Errorf("status:\n%s", status)
	}
}

func TestInterruptClosesNormally(t *testing.T) {
	t.Parallel()
	closed := make(chan error, 1)
	url := serve(t, func(conn *websocket.Conn) {
		_, _, err := conn.Read(context.Background())
		closed <- err
	})
	client, _, status := newClient(url)
	silence, hold := io.Pipe()
	defer hold.Close()
	client.Input = terminal.PipedInput(silence)
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	status.waitFor(t, "Connected")
	interrupt()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if code := websocket.CloseStatus(<-closed); code != websocket.StatusNormalClosure {
		t.Errorf("the server saw close code %d, want 1000", code)
	}
}

func TestHowTheServerCloses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		talk func(*websocket.Conn)
		want *terminal.ClosedError // nil: ended well
		text string
	}{
		{"normal", closeWith(1000, ""), nil, "Disconnected (code: 1000)"},
		{"going away", closeWith(1001, "Going away"), nil, `Disconnected (code: 1001, reason: "Going away")`},
		{"no status", closeWith(1005, ""), nil, "Disconnected (code: 1005)"},
		{"internal error", closeWith(1011, "oops"), &terminal.ClosedError{Code: 1011, Reason: "oops"}, `Disconnected (code: 1011, reason: "oops")`},
		{"application code", closeWith(4001, ""), &terminal.ClosedError{Code: 4001}, "Disconnected (code: 4001)"},
		{"no close frame", func(conn *websocket.Conn) { conn.CloseNow() }, &terminal.ClosedError{Code: 1006, Reason: "EOF"}, `Disconnected (code: 1006, reason: "EOF")`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, _, status := newClient(serve(t, tt.talk))
			err := client.Run(t.Context())
			var closed *terminal.ClosedError
			if err != nil && !errors.As(err, &closed) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			if diff := cmp.Diff(tt.want, closed); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if !strings.HasSuffix(status.String(), tt.text+"\n") {
				t.Errorf("status:\n%swant at the end:\n%s", status, tt.text)
			}
		})
	}
}

func TestRefusedHandshake(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 1000)
	tests := map[string]struct {
		status int
		body   string
	}{
		"forbidden": {http.StatusForbidden, `{"message":"Forbidden"}`},
		"redirect":  {http.StatusMovedPermanently, "moved"}, // shown, not followed
		"ok":        {http.StatusOK, long},                  // a server without WebSocket
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Reason", "because")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			}))
			defer server.Close()
			client, _, status := newClient(strings.Replace(server.URL, "http", "ws", 1))
			var refused *terminal.RefusedError
			if err := client.Run(t.Context()); !errors.As(err, &refused) {
				t.Fatalf("error %v, want a RefusedError", err)
			}
			client.Printer.Refused(refused)
			for _, want := range []string{"HTTP " + refused.Status + "\n", "Location: /elsewhere\n", "X-Reason: because\n", "\n\n" + tt.body + "\n"} {
				if !strings.Contains(status.String(), want) {
					t.Errorf("no %q in:\n%s", want, status)
				}
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	client, _, _ := newClient(strings.Replace(server.URL, "http", "ws", 1))
	err := client.Run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "connect to ws://127.0.0.1:") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("error: %v", err)
	}
}

func TestPingPongsAreShownOnRequest(t *testing.T) {
	t.Parallel()
	for _, show := range []bool{false, true} {
		client, _, status := newClient(serve(t, func(conn *websocket.Conn) {
			ctx := conn.CloseRead(context.Background())
			if err := conn.Ping(ctx); err != nil { // returns when the pong arrived
				t.Errorf("ping: %v", err)
			}
			conn.Close(websocket.StatusNormalClosure, "")
		}))
		client.Printer.PingPongs = show
		if err := client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(status.String(), `< ping "1"`); got != show {
			t.Errorf("PingPongs = %t, but the output was:\n%s", show, status)
		}
	}
}

func TestPrintedForms(t *testing.T) {
	t.Parallel()
	const object = `{"b": 12345678901234567890,"a":[true,null,"x\"y"]}`
	tests := []struct {
		name    string
		printer *terminal.Printer
		typ     websocket.MessageType
		message string
		want    string
	}{
		{"text", &terminal.Printer{}, websocket.MessageText, object, object},
		{"text on a terminal", &terminal.Printer{Terminal: true}, websocket.MessageText, "hi", "< hi"},
		{"control characters on a terminal", &terminal.Printer{Terminal: true}, websocket.MessageText, "a\x1b[2Jb\tc\u009b", `< a\u001b[2Jb` + "\tc" + `\u009b`},
		{"indented", &terminal.Printer{Pretty: true}, websocket.MessageText, object,
			"{\n  \"b\": 12345678901234567890,\n  \"a\": [\n    true,\n    null,\n    \"x\\\"y\"\n  ]\n}"},
		{"a string is not indented", &terminal.Printer{Pretty: true}, websocket.MessageText, ` "a" `, ` "a" `},
		{"not quite JSON", &terminal.Printer{Pretty: true}, websocket.MessageText, `{"a":`, `{"a":`},
		{"coloured", &terminal.Printer{Color: true}, websocket.MessageText, `{"a":[-1.5e3,"s",false]}`,
			"{\x1b[36m\"a\"\x1b[0m:[\x1b[33m-1.5e3\x1b[0m,\x1b[32m\"s\"\x1b[0m,\x1b[35mfalse\x1b[0m]}"},
		{"text is not coloured", &terminal.Printer{Color: true}, websocket.MessageText, "it is 12", "it is 12"},
		{"binary", &terminal.Printer{}, websocket.MessageBinary, "\x00\xff", "AP8="},
		{"binary on a terminal", &terminal.Printer{Terminal: true, Color: true}, websocket.MessageBinary, "\x00\xff", "\x1b[2m< (binary, 2 bytes) \x1b[0mAP8="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, messages, status := newClient(serve(t, func(conn *websocket.Conn) {
				conn.Write(context.Background(), tt.typ, []byte(tt.message))
				conn.Close(websocket.StatusNormalClosure, "")
			}))
			tt.printer.Messages, tt.printer.Status = messages, status
			client.Printer = tt.printer
			if err := client.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", messages.String()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	line, err := json.Marshal(strings.Repeat("x", 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	client, messages, _ := newClient(serve(t, func(conn *websocket.Conn) {
		conn.SetReadLimit(-1)
		typ, data, err := conn.Read(context.Background())
		if err != nil {
			t.Errorf("read: %v", err)
		}
		conn.Write(context.Background(), typ, data)
		conn.Close(websocket.StatusNormalClosure, "")
	}))
	client.Input = terminal.PipedInput(bytes.NewReader(line))
	if err := client.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := messages.String(); got != string(line)+"\n" {
		t.Errorf("printed %d bytes, want the %d that were sent", len(got), len(line)+1)
	}
}

func TestNormalizeURL(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"localhost:8080/dev", "ws://localhost:8080/dev"},
		{"https://a.example/prod?token=1", "wss://a.example/prod?token=1"},
		{"ws://a.example", "ws://a.example"},
		{"ftp://a.example", ""},
		{"ws:///dev", ""},
		{"ws://a b/", ""},
	}
	for _, tt := range tests {
		got, err := terminal.NormalizeURL(tt.in)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("NormalizeURL(%q) = %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}
