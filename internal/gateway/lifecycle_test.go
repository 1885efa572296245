package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// What $disconnect is told, and what the client sees, for every cause:
// specification, sections G.3, G.4, M.8 and M.9.
func TestDisconnect(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		tags   map[string]string
		end    func(*Gateway, *Client, string)
		code   int // seen by the function
		reason string
		seen   int // by the client; 0: it did not look
	}{
		{"client closes with a code and a reason", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.Close(4001, "done here")
		}, 4001, "done here", 0},
		{"client closes with a code alone", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.Close(1001, "")
		}, 1001, "", 0},
		{"client closes without status", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.Close(coder.StatusNoStatusRcvd, "")
		}, 1005, "Client-side close frame status not set", 0},
		{"socket ends without close frame", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.CloseNow()
		}, 1006, "Connection closed abnormally", 0},
		{"idle", map[string]string{"stagedoor:idle-timeout": "200ms"}, func(*Gateway, *Client, string) {},
			1001, "Going away", 1001},
		{"maximum duration", map[string]string{"stagedoor:max-duration": "300ms"}, func(*Gateway, *Client, string) {},
			1001, "Going away", 1001},
		{"DELETE", nil, func(g *Gateway, _ *Client, id string) {
			g.Do("DELETE", g.ConnectionURL(id), nil)
		}, 1000, "Connection Closed Normally", 1000},
		{"binary message", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.Write(context.Background(), coder.MessageBinary, []byte{1})
		}, 1003, "Binary is not supported", 1003},
		{"frame over 32 KB", nil, func(_ *Gateway, c *Client, _ string) {
			_ = c.Write(context.Background(), coder.MessageText, bytes.Repeat([]byte("x"), 32<<10+1))
		}, 1009, "", 1009},
		{"stage removed", nil, func(g *Gateway, _ *Client, _ string) {
			g.Remove("testapi123", "dev")
		}, 1001, "Going away", 1001},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			EachDriver(t, func(t *testing.T, driver websocket.Driver) {
				g := New(t, driver)
				g.Functions.Set("c", Returns(ok))
				g.Functions.Set("d", Returns(ok))
				api := API("testapi123", Route{Key: "$connect", Function: "c"}, Route{Key: "$disconnect", Function: "d"})
				g.Deploy(api, &apigw.Stage{StageName: "dev", Tags: test.tags})
				c := g.Dial("/dev")
				id := g.Functions.Events("c")[0].RequestContext.ConnectionID
				test.end(g, c, id)
				if test.seen != 0 {
					if code, _ := c.WaitClosed(); code != test.seen {
						t.Errorf("the client saw code %d, want %d", code, test.seen)
					}
				}
				g.Records.Wait(t, "disconnect", 1)
				got := g.Functions.Events("d")[0].RequestContext
				if got.DisconnectStatusCode != test.code || test.reason != "" && got.DisconnectReason != test.reason || got.ConnectionID != id {
					t.Errorf("$disconnect saw %d %q, want %d %q", got.DisconnectStatusCode, got.DisconnectReason, test.code, test.reason)
				}
				if g.Connections() != 0 {
					t.Errorf("%d connections are left", g.Connections())
				}
			})
		})
	}
}

// Limits of frames and messages are apart: specification, sections C.9 and G.2.
func TestPayloadLimits(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("echo", Echo)
	g.DeployRoutes(Route{Key: "$default", Function: "echo", TwoWay: true})
	frame := bytes.Repeat([]byte("x"), 32<<10)
	send := func(c *Client, frames int) {
		w, err := c.Writer(context.Background(), coder.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		for range frames {
			_, _ = w.Write(frame) // each Write is a frame
		}
		_ = w.Close()
	}
	c := g.Dial("/dev")
	send(c, 4)
	if got := c.Receive(); got != strings.Repeat("x", 128<<10) {
		t.Errorf("a message of 128 KB in four frames came back with %d bytes", len(got))
	}
	send(c, 5)
	if code, _ := c.WaitClosed(); code != 1009 {
		t.Errorf("a message of 160 KB in frames of 32 KB: closed with %d, want 1009", code)
	}
}

// Data keeps a connection alive in either direction; pings do not:
// specification, sections G.1 and M.6.
func TestIdle(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("c", Returns(ok))
	g.Functions.Set("echo", Echo)
	g.Deploy(API("testapi123", Route{Key: "$connect", Function: "c"}, Route{Key: "$default", Function: "echo"}),
		&apigw.Stage{StageName: "dev", Tags: map[string]string{"stagedoor:idle-timeout": "2s"}})
	sender, receiver, pinger := g.Dial("/dev"), g.Dial("/dev"), g.Dial("/dev")
	receiverID := g.Functions.Events("c")[1].RequestContext.ConnectionID
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pinger.WaitClosed()
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for open := true; open; {
		select {
		case <-closed:
			open = false
		case <-tick.C:
			sender.Send("x")
			g.Do("POST", g.ConnectionURL(receiverID), []byte("y"))
			ctx, cancel := context.WithTimeout(context.Background(), Timeout)
			_ = pinger.Ping(ctx)
			cancel()
		}
	}
	if n := len(g.Records.All("disconnect")); n > 1 {
		t.Errorf("%d connections ended, want only the one that pinged", n)
	}
	_ = receiver
}

// A shutdown closes with 1001, runs $disconnect and waits for it, and refuses
// whom it finds at the door.
func TestShutdown(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		proceed := make(chan struct{})
		g.Functions.Set("d", func(context.Context, Event) (string, error) {
			<-proceed
			return ok, nil
		})
		g.DeployRoutes(Route{Key: "$disconnect", Function: "d"})
		clients := []*Client{g.Dial("/dev"), g.Dial("/dev"), g.Dial("/dev")}
		done := make(chan error)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), Timeout)
			defer cancel()
			done <- g.Shutdown(ctx)
		}()
		for _, c := range clients {
			if code, reason := c.WaitClosed(); code != 1001 || reason != "Going away" {
				t.Errorf("closed with %d %q", code, reason)
			}
		}
		g.Functions.Wait(t, "d", len(clients))
		select {
		case err := <-done:
			t.Fatalf("Shutdown did not wait: %v", err)
		default:
		}
		if _, response, _ := g.TryDial("/dev"); response == nil || response.StatusCode != 503 {
			t.Errorf("a handshake during the shutdown: %v", response)
		}
		close(proceed)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(g.Records.All("disconnect")); n != len(clients) {
			t.Errorf("%d disconnects were reported", n)
		}
	})
}

// A $connect that hangs holds up nobody else: connections are closed and their
// $disconnect runs meanwhile. What comes of it is refused, and undone.
func TestShutdownBesideHangingConnect(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		proceed := make(chan struct{})
		g.Functions.Set("hangs", func(context.Context, Event) (string, error) {
			<-proceed
			return ok, nil
		})
		g.Functions.Set("d", Returns(ok))
		g.Deploy(API("hanging123", Route{Key: "$connect", Function: "hangs"}, Route{Key: "$disconnect", Function: "d"}), &apigw.Stage{StageName: "hanging"})
		g.DeployRoutes(Route{Key: "$disconnect", Function: "d"})
		clients := []*Client{g.Dial("/dev"), g.Dial("/dev"), g.Dial("/dev")}
		refused := make(chan int)
		go func() {
			_, response, _ := g.TryDial("/hanging")
			if response == nil {
				refused <- 0
				return
			}
			refused <- response.StatusCode
		}()
		Eventually(t, func() error {
			if n := len(g.Functions.Events("hangs")); n != 1 {
				return fmt.Errorf("$connect was called %d times", n)
			}
			return nil
		})
		done := make(chan error)
		go func() { done <- g.Shutdown(context.Background()) }()
		for _, c := range clients {
			if code, _ := c.WaitClosed(); code != 1001 {
				t.Errorf("closed with %d", code)
			}
		}
		g.Records.Wait(t, "disconnect", len(clients))
		close(proceed)
		if status := <-refused; status != 503 {
			t.Errorf("the handshake that was under way: %d, want 503", status)
		}
		if r := g.Records.Wait(t, "connect", len(clients)+1); r.Failed == nil || r.Failed.Kind != failure.Unavailable || r.Status != 503 || !strings.Contains(r.Error, "stopping") {
			t.Errorf("its record says status %d, %v, %q", r.Status, r.Failed, r.Error)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		events := g.Functions.Events("d")
		if len(events) != len(clients)+1 || events[len(clients)].RequestContext.APIID != "hanging123" || events[len(clients)].RequestContext.DisconnectStatusCode != 1001 {
			t.Errorf("$disconnect saw %+v", events)
		}
	})
}

// A $connect that never answers has half of the time of a shutdown.
func TestShutdownEndsHangingConnect(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("hangs", func(ctx context.Context, _ Event) (string, error) {
		<-ctx.Done()
		return ok, nil
	})
	g.DeployRoutes(Route{Key: "$connect", Function: "hangs"})
	refused := make(chan error)
	go func() {
		_, _, err := g.TryDial("/dev")
		refused <- err
	}()
	Eventually(t, func() error {
		if n := len(g.Functions.Events("hangs")); n != 1 {
			return fmt.Errorf("$connect was called %d times", n)
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := g.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-refused; err == nil {
		t.Error("the handshake was accepted")
	}
}
