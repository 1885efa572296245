//go:build unix

package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// SIGTERM: /readyz says 503, nobody more gets in, connections are closed with
// 1001, and the end waits for $disconnect.
func TestServeStopsInOrder(t *testing.T) {
	t.Parallel()
	disconnecting, release := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if len(body) > 0 {
			_, _ = w.Write(body)
			return
		}
		close(disconnecting)
		<-release
	}))
	defer backend.Close()
	p := start(t, nil, "--data", filled(t, backend.URL))
	conn := p.dial("/prod")
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"action":"echo"}`)); err != nil {
		t.Fatal(err)
	}
	if _, answer, err := conn.Read(t.Context()); err != nil || string(answer) != `{"action":"echo"}` {
		t.Fatalf("%s %v", answer, err)
	}
	if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 200 || !strings.Contains(body, `"status":"ready"`) {
		t.Errorf("/readyz: %d %s", status, body)
	}

	p.signal(syscall.SIGTERM)
	_, _, err := conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v", err)
	}
	<-disconnecting
	if status, body := request(t, "GET", p.Admin+"/readyz", ""); status != 503 || !strings.Contains(body, `"status":"stopping"`) {
		t.Errorf("/readyz while it stops: %d %s", status, body)
	}
	if status, body := request(t, "GET", p.Admin+"/healthz", ""); status != 200 {
		t.Errorf("/healthz while it stops: %d %s", status, body)
	}
	if status, body := request(t, "GET", p.Public+"/prod", ""); status != 0 {
		t.Errorf("the public port still answers: %d %s", status, body)
	}
	close(release)
	if err := p.wait(); err != nil {
		t.Errorf("the program ended with %v; its log:\n%s", err, p.log)
	}
}

// A second signal ends the program at once, whatever it waits for.
func TestServeSecondSignal(t *testing.T) {
	t.Parallel()
	disconnecting, release := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(disconnecting)
		<-release
	}))
	defer backend.Close()
	defer close(release)
	p := start(t, nil, "--data", filled(t, backend.URL))
	conn := p.dial("/prod")
	p.signal(syscall.SIGTERM)
	_, _, err := conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v", err)
	}
	<-disconnecting
	p.signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := p.wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the program ended with %v", err)
	}
}
