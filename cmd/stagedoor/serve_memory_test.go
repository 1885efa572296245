//go:build unix

package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Clients that read nothing are dropped before what waits for them is more than
// its part of the memory, and the log is told; who reads is served all the while.
func TestServeSlowReaders(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(large)) }))
	defer backend.Close()
	p := start(t, func(c *exec.Cmd) {
		c.Env = append(c.Env, "STAGEDOOR_LIMITS_MEMORY=128MiB", "STAGEDOOR_LIMITS_REQUESTS=none", "STAGEDOOR_LOG_EVENTS=all")
	}, "--open", "--data", filled(t, backend.URL))
	reader := p.dial("/prod")
	reader.SetReadLimit(1 << 20)
	ctx, cancel := context.WithTimeout(t.Context(), 3*timeout)
	defer cancel()
	small := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}}, Timeout: timeout}
	var slow []*websocket.Conn
	for range 50 {
		gatewaytest.Eventually(t, func() error { // a busy machine makes slow loops, and these have handshakes refused for a while
			conn, _, err := websocket.Dial(ctx, strings.Replace(p.Public, "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: small})
			if err == nil {
				slow = append(slow, conn)
			}
			return err
		})
	}
	for _, conn := range slow {
		defer func() { _ = conn.CloseNow() }()
		go func() {
			for conn.Write(ctx, websocket.MessageText, []byte("more")) == nil {
				time.Sleep(time.Millisecond)
			}
		}()
	}
	for !strings.Contains(p.log.String(), `"status":1013`) {
		if err := reader.Write(ctx, websocket.MessageText, []byte("more")); err != nil {
			t.Fatalf("the client that reads: %v; the log ends with\n%s", err, tail(p.log.String()))
		}
		if _, _, err := reader.Read(ctx); err != nil {
			t.Fatalf("the client that reads: %v; the log ends with\n%s", err, tail(p.log.String()))
		}
	}
	p.log.await(t, `the client was dropped: it read too slowly`)
	p.log.await(t, `"msg":"memory is limited","bytes":134217728`)
}

// tail is the end of a long text.
func tail(text string) string { return text[max(0, len(text)-2000):] }
