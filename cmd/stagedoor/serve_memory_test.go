//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
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
	var slow []*websocket.Conn
	for range 50 {
		slow = append(slow, p.dialSlow(ctx))
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

// When memory runs out for whatever reason, the overload manager drops those who do not
// read, long before what waits for them is more than its part: they get 1013, the log is
// told, $disconnect runs; and who reads goes on.
func TestServeOverloadDropsSlowReaders(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	release := make(chan struct{})
	var disconnects atomic.Int32
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch body, _ := io.ReadAll(r.Body); string(body) {
		case "": // $disconnect
			disconnects.Add(1)
		case "fill":
			_, _ = io.WriteString(w, large)
		case "hang": // with most of an answer, which the gateway keeps
			_, _ = io.WriteString(w, large)
			_ = http.NewResponseController(w).Flush()
			<-release
		default:
			_, _ = w.Write(body)
		}
	}))
	defer backend.Close()
	var once sync.Once
	end := func() { once.Do(func() { close(release) }) }
	defer end()
	p := start(t, func(c *exec.Cmd) {
		c.Env = append(c.Env, "STAGEDOOR_LIMITS_MEMORY=80MiB", "STAGEDOOR_LIMITS_REQUESTS=none", "STAGEDOOR_LOG_EVENTS=all")
	}, "--open", "--data", filled(t, backend.URL))
	ctx, cancel := context.WithTimeout(t.Context(), 3*timeout)
	defer cancel()
	reader := p.dial("/prod")
	send := func(conn *websocket.Conn, text string) {
		t.Helper()
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatalf("%q: %v; the log ends with\n%s", text, err, tail(p.log.String()))
		}
	}
	ask := func(text string) {
		t.Helper()
		send(reader, text)
		if _, got, err := reader.Read(ctx); err != nil || string(got) != text {
			t.Fatalf("%q is answered %q, %v; the log ends with\n%s", text, got, err, tail(p.log.String()))
		}
	}
	const slow, waiters = 8, 60 // what waits for the slow is 8 MiB at most, of 20 for all
	var hang []*websocket.Conn
	for range waiters {
		hang = append(hang, p.dial("/prod"))
	}
	for range slow {
		conn := p.dialSlow(ctx)
		for range 60 { // more than the kernel takes
			send(conn, "fill")
		}
	}
	ask("before")
	const overloaded = `"msg":"overloaded: dropping slow readers"`
	for n := 0; n < 12*waiters && !strings.Contains(p.log.String(), overloaded); n++ {
		send(hang[n/12], "hang")
		time.Sleep(time.Millisecond) // so that the overload manager has its rounds before there is far too much
	}
	p.log.await(t, overloaded)
	p.log.await(t, `"status":1013`)
	p.log.await(t, `the client was dropped: it read too slowly`)
	gatewaytest.Eventually(t, func() error {
		if disconnects.Load() == 0 {
			return errors.New("$disconnect has not run")
		}
		return nil
	})
	end()
	for n := range 50 {
		ask(fmt.Sprint("after ", n))
	}
	p.log.await(t, "no longer overloaded: ended: dropping slow readers")
}

// dialSlow connects a client whose kernel keeps little of what it does not read.
func (p *program) dialSlow(ctx context.Context) (conn *websocket.Conn) {
	p.t.Helper()
	small := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(4096)
		}
		return conn, err
	}}, Timeout: timeout}
	gatewaytest.Eventually(p.t, func() (err error) { // a busy machine makes slow loops, and these have handshakes refused for a while
		conn, _, err = websocket.Dial(ctx, strings.Replace(p.Public, "http", "ws", 1)+"/prod", &websocket.DialOptions{HTTPClient: small})
		return err
	})
	p.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// tail is the end of a long text.
func tail(text string) string { return text[max(0, len(text)-2000):] }
