//go:build unix

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// A developer watches what "stagedoor dev" runs, in the very lines of its --json; a page
// of another site does not.
func TestTailDev(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	d := open(t, b.URL)
	w := watch(t, nil, d.Admin, "--json")
	bodies := watch(t, nil, d.Admin, "--json", "--payload", "--failed", "--status", "4xx")
	pushes := watch(t, nil, d.Admin, "--payload", "--route", "POST /@connections/{connectionId}")

	conn := d.dial("/")
	if got := ask(t, conn, "hello"); got != "echo hello" {
		t.Errorf("the answer: %s", got)
	}
	connection := b.await(t, "connect").connection
	if status, text := request(t, "POST", strings.Replace(d.Push, "{id}", connection, 1), `{"news": 1}`); status != http.StatusOK {
		t.Errorf("the push: %d %s", status, text)
	}
	if status, _ := request(t, "GET", d.Public+"/@connections/%1b%5b2J", ""); status != http.StatusBadRequest {
		t.Errorf("an id that cannot be: %d", status)
	}
	refused, err := net.Dial("tcp", strings.TrimPrefix(d.Public, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer refused.Close()
	fmt.Fprintf(refused, "GET /?refuse=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if answer, err := http.ReadResponse(bufio.NewReader(refused), nil); err != nil || answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a handshake that is refused: %v, %v", answer, err)
	}
	refusal := bodies.await("the refusal", ofKind("connect"))
	if refusal["status"] != 401.0 || !strings.HasPrefix(fmt.Sprint(refusal["answer"]), "echo ") || len(bodies.events()) != 1 {
		t.Errorf("what failed: %s", bodies.out)
	}
	pushes.out.await(t, `    < {"news":1}`)
	w.await("the refusal", func(e map[string]any) bool { return e["status"] == 401.0 })
	gatewaytest.Eventually(t, func() error {
		for line := range strings.Lines(w.out.String()) {
			if !strings.Contains(d.out.String(), line) {
				return fmt.Errorf("dev has not printed %sbut\n%s", line, d.out)
			}
		}
		return nil
	})

	for _, tt := range []struct {
		name, header string
		want         int
	}{
		{"a page of another site", "Host: localhost\r\nOrigin: https://evil.example", http.StatusForbidden},
		{"a page whose name leads here", "Host: evil.example", http.StatusMisdirectedRequest},
		{"a page of another port", "Host: localhost\r\nSec-Fetch-Site: same-site", http.StatusForbidden},
		{"a program", "Host: localhost", http.StatusOK},
	} {
		if conn, answer := askEvents(t, d.Admin, "", tt.header); answer.StatusCode != tt.want {
			t.Errorf("%s: %s", tt.name, answer.Status)
		} else {
			_ = conn.Close()
		}
	}
	for _, w := range []*watching{w, bodies, pushes} {
		w.interrupt()
	}
}

// askEvents asks for events, and reads no more than the header of the answer.
func askEvents(t *testing.T, gateway, query, header string) (net.Conn, *http.Response) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(gateway, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(timeout))
	if _, err := fmt.Fprintf(conn, "GET /stagedoor/events%s HTTP/1.1\r\n%s\r\n\r\n", query, header); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return conn, answer
}

// Watchers that never read, as many as there may be, and hundreds that are one too many,
// neither slow down clients nor take events from who reads; nor do they hold up the stop.
func TestTailHostileWatchers(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	p := start(t, nil, "--data", filled(t, b.URL), "--open")
	w := watch(t, nil, p.Admin, "--json", "--route", "$default")
	for range 31 {
		if _, answer := askEvents(t, p.Admin, "?payload=true", "Host: localhost"); answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	for range 300 {
		conn, answer := askEvents(t, p.Admin, "", "Host: localhost\r\nConnection: close")
		if answer.StatusCode != http.StatusTooManyRequests {
			t.Fatalf("one too many: %s", answer.Status)
		}
		_ = conn.Close()
	}
	startTail(t, nil, p.Admin).status.await(t, "as many watchers")

	conn := p.dial("/prod")
	const messages = 3000
	text := strings.Repeat("x", 2000)
	for n := range messages {
		message := fmt.Sprint(n, text)
		if got := gatewaytest.Ask(t, conn, message); got != "echo "+message {
			t.Fatalf("message %d: %.40s", n, got)
		}
	}
	gatewaytest.Eventually(t, func() error {
		seen := 0
		for _, e := range w.events() {
			if n, dropped := e["dropped"].(float64); dropped {
				seen += int(n)
				continue
			}
			seen++
		}
		if seen != messages {
			return fmt.Errorf("%d events were printed, or told to be missing", seen)
		}
		return nil
	})
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("the gateway ends with %v:\n%s", err, p.log)
	}
	w.status.await(t, "the gateway has ended the stream") // it was not cut off when the time for stopping was over
	w.interrupt()
}
