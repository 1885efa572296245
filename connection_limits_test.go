package stagedoor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// limitTests are limits of connections, and what ends one that breaks them.
var limitTests = []struct {
	yaml  string
	limit ConnectionLimits
	send  int // bytes
	code  websocket.StatusCode
}{
	{"{idle: 300ms, lifetime: none}", ConnectionLimits{Idle: 300 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{lifetime: 300ms}", ConnectionLimits{Lifetime: 300 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{frame: 100}", ConnectionLimits{Frame: 100}, 101, websocket.StatusMessageTooBig},
	{"{idle: 300ms, ping: 50ms}", ConnectionLimits{Idle: 300 * time.Millisecond, Ping: 50 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{message: 1KiB}", ConnectionLimits{Message: 1 << 10}, 1<<10 + 1, websocket.StatusMessageTooBig},
}

// ended sends a text of a size, and gives the code that the connection is closed
// with.
func ended(t *testing.T, conn *websocket.Conn, size int) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if size > 0 {
		send(t, conn, strings.Repeat("x", size))
	}
	_, answer, err := conn.Read(ctx)
	if err == nil {
		t.Fatalf("answered with %.80q", answer)
	}
	return websocket.CloseStatus(err)
}

// Limits of connections in the configuration hold where no tag says otherwise.
func TestServeConnectionLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range limitTests {
		t.Run(tt.yaml, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.fill(echo(t))
			s.configure("limits: " + tt.yaml + "\n")
			if code := ended(t, s.start(ServeConfig{}).dial(), tt.send); code != tt.code {
				t.Errorf("closed with %d, want %d", code, tt.code)
			}
		})
	}
}

// A change of them takes effect without a restart, for connections that open
// after it.
func TestServeConnectionLimitsChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	s.configure("limits: {message: 10}\n")
	g := s.start(ServeConfig{})
	before := g.dial()
	s.configure("limits: {message: 1KiB}\n")
	g.reload <- struct{}{}
	g.logged("key=limits.message")
	gatewaytest.Eventually(t, func() error {
		conn := g.dial()
		send(t, conn, strings.Repeat("x", 100))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, _, err := conn.Read(ctx)
		return err
	})
	if code := ended(t, before, 100); code != websocket.StatusMessageTooBig {
		t.Errorf("a connection from before was closed with %d", code)
	}
}

// The same of an application that dev runs, whether a flag or a stagedoor.yaml
// has the limits.
func TestDevConnectionLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range limitTests {
		file := filepath.Join(t.TempDir(), "stagedoor.yaml")
		text := "limits: " + tt.yaml + "\napis: {mine: {routes: {$default: http://127.0.0.1:1}}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*DevConfig){
			"flag": func(c *DevConfig) { c.Limits = func(l *ConnectionLimits) { *l = tt.limit } },
			"file": func(c *DevConfig) { c.Template = file },
		} {
			t.Run(name+" "+tt.yaml, func(t *testing.T) {
				t.Parallel()
				a := start(t, mocks("$default=Mock"), change)
				if code := ended(t, a.dial(t, "/dev"), tt.send); code != tt.code {
					t.Errorf("closed with %d, want %d", code, tt.code)
				}
			})
		}
	}
}

// A silent client is pinged, by serve and dev alike, and not where that is
// switched off.
func TestPings(t *testing.T) {
	t.Parallel()
	for yaml, interval := range map[string]time.Duration{"50ms": 50 * time.Millisecond, "none": 0} {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.fill(echo(t))
			s.configure("limits: {ping: " + yaml + "}\n")
			served := s.start(ServeConfig{})
			a := start(t, mocks("$default=Mock"), func(c *DevConfig) { c.Limits = func(l *ConnectionLimits) { *l = ConnectionLimits{Ping: interval} } })
			for gateway, url := range map[string]string{"serve": served.Public[0] + "/prod", "dev": a.Public + "/dev"} {
				pinged := make(chan struct{}, 1)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				conn, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1), &websocket.DialOptions{
					HTTPClient: plain,
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
				wait := patience
				if interval == 0 {
					wait = 300 * time.Millisecond // as long as nothing is to come
				}
				select {
				case <-pinged:
					if interval == 0 {
						t.Errorf("%s: pinged", gateway)
					}
				case <-time.After(wait):
					if interval != 0 {
						t.Errorf("%s: no ping", gateway)
					}
				}
			}
		})
	}
}
