package gateway_test

import (
	"context"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Messages of many clients to a function that never answers take up what their
// API may have in flight. That delays neither another route of that API, nor
// another API, nor one that comes afterwards.
func TestHangingBackend(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		const inFlight, clients = 128, 20
		g := NewWith(t, websocket.Options{Driver: driver, InFlight: inFlight}, gateway.Guards{Unsigned: true})
		end := make(chan struct{})
		defer close(end)
		g.Functions.Set("hang", func(ctx context.Context, _ Event) (string, error) {
			select {
			case <-end:
			case <-ctx.Done():
			}
			return ok, nil
		})
		g.Functions.Set("echo", Echo)
		routes := []Route{{Key: "hang", Function: "hang"}, {Key: "$default", Function: "echo", TwoWay: true}}
		stage := &apigw.Stage{StageName: "dev"}
		g.Deploy(API("attacked00", routes...), stage)
		g.Deploy(API("bystander0", routes...), stage)
		same, other := g.Dial("/_aws/execute-api/attacked00/dev"), g.Dial("/_aws/execute-api/bystander0/dev")
		for range clients {
			c := g.Dial("/_aws/execute-api/attacked00/dev")
			go func() { // what is refused is answered
				for {
					if _, _, err := c.Read(context.Background()); err != nil {
						return
					}
				}
			}()
			for range 17 {
				c.Send(`{"action":"hang"}`)
			}
		}
		g.Functions.Wait(t, "hang", inFlight/8)
		for name, c := range map[string]*Client{"the same API": same, "another API": other} {
			c.Send("still here")
			if got := c.Receive(); got != "still here" {
				t.Errorf("%s: %q", name, got)
			}
		}
		g.Deploy(API("newcomer00", routes...), stage)
		newcomer := g.Dial("/_aws/execute-api/newcomer00/dev")
		newcomer.Send("here too")
		if got := newcomer.Receive(); got != "here too" {
			t.Errorf("a new API: %q", got)
		}
		// A quarter, or a few more: calls that come at once see the same number.
		if n := len(g.Functions.Events("hang")); n > inFlight/3 {
			t.Errorf("%d messages reached the function, want about %d", n, inFlight/4)
		}
	})
}
