package gateway_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// ping is an empty one of a client whose mask is zero.
var ping = []byte{0x89, 0x80, 0, 0, 0, 0}

// A client that sends pings without end is closed with 1008, which $disconnect is
// told, while its neighbour is served.
func TestPingFlood(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.Functions.Set("echo", Echo)
		g.DeployRoutes(Route{Key: "$default", Function: "echo", TwoWay: true}, Route{Key: "$disconnect", Function: "echo"})
		neighbour := g.Dial("/dev")
		conn, _ := upgraded(t, g)
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		for _, err := conn.Write(ping); err == nil; _, err = conn.Write(bytes.Repeat(ping, 1000)) {
			neighbour.Send("still here")
			if got := neighbour.Receive(); got != "still here" {
				t.Fatalf("the neighbour received %q", got)
			}
		}
		if r := g.Records.Wait(t, "disconnect", 1); r.Status != 1008 || r.Reason != "Too many control frames" {
			t.Errorf("disconnect with %d %q", r.Status, r.Reason)
		}
	})
}

// Pings use up the rate of messages that a connection has, and are answered all
// the same.
func TestPingsCountAsMessages(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.Functions.Set("echo", Echo)
		g.Deploy(API("testapi123", Route{Key: "$default", Function: "echo", TwoWay: true}),
			&apigw.Stage{StageName: "dev", Tags: map[string]string{"stagedoor:message-rate": "0.0001/4"}})
		conn, reader := upgraded(t, g)
		_ = conn.SetDeadline(time.Now().Add(Timeout))
		for range 3 {
			_, _ = conn.Write(ping)
			pong := make([]byte, 2)
			if _, err := io.ReadFull(reader, pong); err != nil || pong[0] != 0x8a {
				t.Fatalf("frame %x, %v; want a pong", pong, err)
			}
		}
		for _, want := range []string{"x", `{"message": "Too Many Requests"`} {
			_, _ = conn.Write([]byte{0x81, 0x81, 0, 0, 0, 0, 'x'})
			head := make([]byte, 2)
			if _, err := io.ReadFull(reader, head); err != nil || head[1] > 125 {
				t.Fatalf("frame %x, %v", head, err)
			}
			answer := make([]byte, head[1])
			if _, err := io.ReadFull(reader, answer); err != nil || !bytes.HasPrefix(answer, []byte(want)) {
				t.Fatalf("answer %q, %v; want %q", answer, err, want)
			}
		}
	})
}
