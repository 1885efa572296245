package gateway_test

import (
	"net"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// A client that reads nothing is dropped when the memory for what waits is used
// up: $disconnect is told, and so is who watches. Its neighbour is served.
func TestSlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := NewWith(t, websocket.Options{Driver: driver, MemoryBudget: 300_000}, gateway.Guards{Unsigned: true})
		g.Functions.Set("f", Returns(ok))
		g.DeployRoutes(Route{Key: "$connect", Function: "f"}, Route{Key: "$disconnect", Function: "f"}, Route{Key: "$default", Function: "f"})
		conn, _ := upgraded(t, g)
		if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			t.Fatal(err)
		}
		slow := g.Functions.Wait(t, "f", 1)[0].RequestContext.ConnectionID
		neighbour := g.Dial("/dev")
		id := g.Functions.Wait(t, "f", 2)[1].RequestContext.ConnectionID
		payload := []byte(strings.Repeat("x", 100_000))
		for len(g.Records.All("disconnect")) == 0 {
			if response, _ := g.Do("POST", g.ConnectionURL(slow), payload); response.StatusCode == 410 {
				break
			}
		}
		r := g.Records.Wait(t, "disconnect", 1)
		if r.ConnectionID != slow || r.Status != 1013 || r.Reason != "Reads too slowly" || !strings.Contains(r.Error, "read too slowly") {
			t.Errorf("record %+v", r)
		}
		told := g.Functions.Wait(t, "f", 3)[2].RequestContext
		if told.EventType != "DISCONNECT" || told.DisconnectStatusCode != 1013 || told.DisconnectReason != "Reads too slowly" {
			t.Errorf("$disconnect got %+v", told)
		}
		g.Do("POST", g.ConnectionURL(id), []byte("still here"))
		if got := neighbour.Receive(); got != "still here" {
			t.Errorf("the neighbour received %q", got)
		}
	})
}

// Clients that begin large messages and don't end them are dropped when the memory for
// them is used up: $disconnect is told, and so is who watches. Their neighbour is served.
func TestUnfinishedMessagesAreDropped(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := NewWith(t, websocket.Options{Driver: driver, MemoryBudget: 300_000}, gateway.Guards{Unsigned: true})
		g.Functions.Set("f", Returns(ok))
		g.Functions.Set("echo", Echo)
		g.DeployRoutes(Route{Key: "$disconnect", Function: "f"}, Route{Key: "$default", Function: "echo", TwoWay: true})
		neighbour := g.Dial("/dev")
		for range 5 {
			conn, _ := upgraded(t, g)
			begun := append([]byte{0x01, 0x80 | 126, 0x7d, 0x00, 0, 0, 0, 0}, make([]byte, 32_000)...) // text, not the end; masked with zeros
			for range 3 {
				if _, err := conn.Write(begun); err != nil {
					t.Fatal(err)
				}
				begun[0] = 0 // a continuation
			}
		}
		r := g.Records.Wait(t, "disconnect", 1)
		if r.Status != 1013 || r.Reason != "Too much unprocessed data" || !strings.Contains(r.Error, "the client was dropped: too much of what it sent") {
			t.Errorf("record %+v", r)
		}
		told := g.Functions.Wait(t, "f", 1)[0].RequestContext
		if told.EventType != "DISCONNECT" || told.DisconnectStatusCode != 1013 || told.DisconnectReason != "Too much unprocessed data" {
			t.Errorf("$disconnect got %+v", told)
		}
		neighbour.Send("still here")
		if got := neighbour.Receive(); got != "still here" {
			t.Errorf("the neighbour received %q", got)
		}
	})
}
