//go:build unix

package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// A log that nobody reads holds up no message, and no end. Lines that it does not take
// are lost, and counted.
func TestServeLogStandsStill(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer backend.Close()
	log, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	defer stderr.Close()
	p := start(t, func(c *exec.Cmd) {
		c.Stderr = stderr
		c.Env = append(c.Env, "STAGEDOOR_LOG_EVENTS=all")
	}, "--open", "--data", filled(t, backend.URL))
	conn := p.dial("/prod")
	ctx, cancel := context.WithTimeout(t.Context(), 3*timeout)
	defer cancel()
	const messages = 8000 // whose lines are more than a pipe holds, and than is kept for it
	for n := range messages {
		if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
		if _, _, err := conn.Read(ctx); err != nil {
			t.Fatalf("the answer to message %d: %v", n, err)
		}
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(log)
		rest <- string(text)
	}()
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	stderr.Close()
	text := <-rest
	for _, want := range []string{`some are lost`, `"msg":"stopped"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in the log, which ends with\n%s", want, tail(text))
		}
	}
}
