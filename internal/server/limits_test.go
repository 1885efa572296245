package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// limitTests are limits of connections, and what ends one that breaks them.
var limitTests = []struct {
	yaml  string
	limit usage.ConnectionLimits
	send  int // bytes
	code  websocket.StatusCode
}{
	{"{idle: 300ms, lifetime: none}", usage.ConnectionLimits{Idle: 300 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{lifetime: 300ms}", usage.ConnectionLimits{Lifetime: 300 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{frame: 100}", usage.ConnectionLimits{Frame: 100}, 101, websocket.StatusMessageTooBig},
	{"{idle: 300ms, ping: 50ms}", usage.ConnectionLimits{Idle: 300 * time.Millisecond, Ping: 50 * time.Millisecond}, 0, websocket.StatusGoingAway},
	{"{message: 1KiB}", usage.ConnectionLimits{Message: 1 << 10}, 1<<10 + 1, websocket.StatusMessageTooBig},
}

// ended sends a text of a size, and gives the code that the connection is closed
// with.
func ended(t *testing.T, conn *websocket.Conn, size int) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	if size > 0 {
		gatewaytest.Send(t, conn, strings.Repeat("x", size))
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
			if code := ended(t, s.start(Config{}).dial(), tt.send); code != tt.code {
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
	g := s.start(Config{})
	before := g.dial()
	s.configure("limits: {message: 1KiB}\n")
	g.reload <- struct{}{}
	g.logged("key=limits.message")
	gatewaytest.Eventually(t, func() error {
		conn := g.dial()
		gatewaytest.Send(t, conn, strings.Repeat("x", 100))
		ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
		defer cancel()
		_, _, err := conn.Read(ctx)
		return err
	})
	if code := ended(t, before, 100); code != websocket.StatusMessageTooBig {
		t.Errorf("a connection from before was closed with %d", code)
	}
}

// A silent client is pinged, and not where that is switched off.
func TestServePings(t *testing.T) {
	t.Parallel()
	for yaml, interval := range map[string]time.Duration{"50ms": 50 * time.Millisecond, "none": 0} {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.fill(echo(t))
			s.configure("limits: {ping: " + yaml + "}\n")
			served := s.start(Config{})
			wait := gatewaytest.Timeout
			if interval == 0 {
				wait = 300 * time.Millisecond // as long as nothing is to come
			}
			if pinged := gatewaytest.IsPinged(t, served.Public[0]+"/prod", wait); pinged != (interval != 0) {
				t.Errorf("pinged: %v", pinged)
			}
		})
	}
}
