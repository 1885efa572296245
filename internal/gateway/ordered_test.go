package gateway_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// With the tag stagedoor:ordered, messages of a connection reach the function
// one after the other, in the order in which they were sent, and so do the
// answers.
func TestOrdered(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		const messages = 40
		var running, most atomic.Int32
		g.Functions.Set("f", func(ctx context.Context, e Event) (string, error) {
			if now := running.Add(1); now > most.Load() {
				most.Store(now)
			}
			defer running.Add(-1)
			n, _ := strconv.Atoi(e.Body)
			time.Sleep(time.Duration(messages-n) * 100 * time.Microsecond) // the later, the faster
			return Echo(ctx, e)
		})
		api := API("testapi123", Route{Key: "$default", Function: "f", TwoWay: true}, Route{Key: "$disconnect", Function: "f"})
		g.Deploy(api, &apigw.Stage{StageName: "dev", Tags: map[string]string{"stagedoor:ordered": "true"}})
		c := g.Dial("/dev")
		for n := range messages {
			c.Send(strconv.Itoa(n))
		}
		for n := range messages {
			if got := c.Receive(); got != strconv.Itoa(n) {
				t.Fatalf("answer %d is that to message %s", n, got)
			}
		}
		for n, e := range g.Functions.Events("f") {
			if e.Body != strconv.Itoa(n) {
				t.Errorf("event %d is message %s", n, e.Body)
			}
		}
		if n := most.Load(); n != 1 {
			t.Errorf("%d messages were in flight", n)
		}
	})
}

// Without it they overtake each other: the first message waits for the second.
func TestNotOrdered(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	second := make(chan struct{})
	g.Functions.Set("f", func(ctx context.Context, e Event) (string, error) {
		if e.Body == "first" {
			<-second
		} else {
			close(second)
		}
		return Echo(ctx, e)
	})
	g.DeployRoutes(Route{Key: "$default", Function: "f", TwoWay: true})
	c := g.Dial("/dev")
	c.Send("first")
	c.Send("second")
	if a, b := c.Receive(), c.Receive(); a == b {
		t.Errorf("two answers %q", a)
	}
}
