package dev

import (
	"context"
	"os"
	"path/filepath"
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

// Limits of connections hold where no tag says otherwise, whether a flag or a
// stagedoor.yaml has them.
func TestDevConnectionLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range limitTests {
		file := filepath.Join(t.TempDir(), "stagedoor.yaml")
		text := "limits: " + tt.yaml + "\napis: {mine: {routes: {$default: http://127.0.0.1:1}}}\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]func(*Config){
			"flag": func(c *Config) { c.Limits = func(l *usage.ConnectionLimits) { *l = tt.limit } },
			"file": func(c *Config) { c.Template = file },
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

// A silent client is pinged, and not where that is switched off.
func TestDevPings(t *testing.T) {
	t.Parallel()
	for yaml, interval := range map[string]time.Duration{"50ms": 50 * time.Millisecond, "none": 0} {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			a := start(t, mocks("$default=Mock"), func(c *Config) {
				c.Limits = func(l *usage.ConnectionLimits) { *l = usage.ConnectionLimits{Ping: interval} }
			})
			wait := gatewaytest.Timeout
			if interval == 0 {
				wait = 300 * time.Millisecond // as long as nothing is to come
			}
			if pinged := gatewaytest.IsPinged(t, a.Public+"/dev", wait); pinged != (interval != 0) {
				t.Errorf("pinged: %v", pinged)
			}
		})
	}
}
