package gateway_test

import (
	"strconv"
	"testing"

	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// A gateway that refuses handshakes says when to come again, calls no function
// for them, and serves those who are connected.
func TestRefuseHandshakes(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("c", Returns(ok))
	g.Functions.Set("echo", Echo)
	g.DeployRoutes(Route{Key: "$connect", Function: "c"}, Route{Key: "$default", Function: "echo", TwoWay: true})
	client := g.Dial("/dev")
	id := g.Functions.Events("c")[0].RequestContext.ConnectionID
	g.RefuseHandshakes(true)
	_, response, err := g.TryDial("/dev")
	if err == nil || response == nil || response.StatusCode != 503 {
		t.Fatalf("%v, %v", response, err)
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 10 {
		t.Errorf("Retry-After: %q", response.Header.Get("Retry-After"))
	}
	if n := len(g.Functions.Events("c")); n != 1 {
		t.Errorf("$connect was called %d times", n)
	}
	client.Send("hello")
	if got := client.Receive(); got != "hello" {
		t.Errorf("answer %q", got)
	}
	if answer, _ := g.Do("POST", g.ConnectionURL(id), []byte("pushed")); answer.StatusCode != 200 {
		t.Errorf("@connections: %d", answer.StatusCode)
	}
	g.RefuseHandshakes(false)
	g.Dial("/dev")
}
