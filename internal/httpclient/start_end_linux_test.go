package httpclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// A call ends in time, and with its context, whatever the backend does or does not.
func TestStartEnds(t *testing.T) {
	t.Parallel()
	for name, each := range map[string]func(c *net.TCPConn){
		"silent": func(*net.TCPConn) {},
		"dribbling": func(c *net.TCPConn) {
			_, _ = io.WriteString(c, ok+"Content-Length: 100000\r\n\r\n")
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		},
	} {
		for _, by := range []string{"deadline", "context", "close"} {
			t.Run(name+" "+by, func(t *testing.T) {
				t.Parallel()
				received := make(chan struct{}, 1)
				url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
					_, _ = receive(in)
					received <- struct{}{}
					each(c)
				})
				client, loop := newClient(t), newLoop(t)
				r := request(t, url, "x")
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := context.Canceled
				if by == "deadline" {
					r.Timeout, want = 50*time.Millisecond, context.DeadlineExceeded
				}
				a := start(ctx, client, loop, r)
				if by != "deadline" {
					<-received
				}
				if by == "close" {
					client.Close() // lets calls end by themselves
				}
				if by != "deadline" {
					cancel()
				}
				if o := a.next(t); !errors.Is(o.err, want) {
					t.Errorf("%+v, %v; want %v", o.Response, o.err, want)
				}
				if used, calls := sockets(client); used != 0 || calls != 0 {
					t.Errorf("%d sockets, %d calls", used, calls)
				}
			})
		}
	}
}

// A call that waits for its turn ends in time, and with its context.
func TestStartEndsWaiting(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		_, _ = receive(in)
		<-release
		answer(c, "x")
		echoes(c, in)
	})
	client := New(Options{Bounds: turnstile.Bounds{Calls: 1, Waiting: 2}})
	t.Cleanup(client.Close)
	loop := newLoop(t)
	first := start(t.Context(), client, loop, request(t, url, "x"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	short := request(t, url, "x")
	short.Timeout = 20 * time.Millisecond
	late, interrupted := start(ctx, client, loop, short), start(ctx, client, loop, request(t, url, "x"))
	if o := ask(t, client, loop, request(t, url, "x")); !errors.Is(o.err, turnstile.ErrFull) {
		t.Errorf("beyond the line: %v", o.err)
	}
	if o := late.next(t); !errors.Is(o.err, context.DeadlineExceeded) {
		t.Errorf("late: %v", o.err)
	}
	cancel()
	if o := interrupted.next(t); !errors.Is(o.err, context.Canceled) {
		t.Errorf("interrupted: %v", o.err)
	}
	second := start(t.Context(), client, loop, request(t, url, "y"))
	close(release)
	first.next(t).want(t, "x")
	second.next(t).want(t, "y")
}

// When a loop has ended, calls that it was to end are ended all the same, and its sockets
// are closed.
func TestStartOnEndedLoop(t *testing.T) {
	t.Parallel()
	received := make(chan struct{}, 1)
	url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
		_, _ = receive(in)
		received <- struct{}{}
		_, _ = io.Copy(io.Discard, c)
	})
	server, _ := echoServer(t)
	server.Start()
	client, loop := newClient(t), newLoop(t)
	ask(t, client, loop, request(t, server.URL, "x")).want(t, "x")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := start(ctx, client, loop, request(t, url, "x"))
	<-received
	loop.Close()
	cancel()
	if o := a.next(t); !errors.Is(o.err, context.Canceled) {
		t.Errorf("%+v, %v", o.Response, o.err)
	}
	client.Close()
	noSockets(t, client)
}
