package listener_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// TestMain lets net/http linger for half a second on connections that sent it
// garbage.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// serve serves a handler on a free port and returns its address.
func serve(t *testing.T, handler http.Handler, o listener.Options) string {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := listener.Serve(inner, handler, o)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // the test is over: nothing under way is of use
		s.Close(ctx)
	})
	return inner.Addr().String()
}

// gatewayBehind starts a gateway that is reached through a listener. It has the
// API testapi123 with a stage "dev" that echoes, the API other456 with a stage
// "prod", and the custom domain example.com with the keys "" and "v1/chat".
func gatewayBehind(t *testing.T, o listener.Options) *gatewaytest.Gateway {
	t.Helper()
	g := gatewaytest.New(t, websocket.DriverAuto)
	g.Functions.Set("echo", gatewaytest.Echo)
	routes := []gatewaytest.Route{{Key: "$default", Function: "echo", TwoWay: true}}
	g.Deploy(gatewaytest.API("testapi123", routes...), &apigw.Stage{StageName: "dev"})
	g.Deploy(gatewaytest.API("other456", routes...), &apigw.Stage{StageName: "prod"})
	g.SetDomains(map[string][]gateway.Mapping{"example.com": {
		{Key: "", APIID: "testapi123", Stage: "dev"}, {Key: "v1/chat", APIID: "other456", Stage: "prod"},
	}})
	g.Address = serve(t, g.Gateway, o)
	return g
}

// neighbour is a connection that must stay alive whatever others do. The
// function given back says that it is.
func neighbour(t *testing.T, g *gatewaytest.Gateway) (alive func()) {
	t.Helper()
	c := g.Dial("/dev")
	return func() {
		t.Helper()
		c.Send("still here")
		if got := c.Receive(); got != "still here" {
			t.Errorf("the neighbour received %q", got)
		}
	}
}

// dial opens a socket.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(gatewaytest.Timeout))
	return conn
}

// answers sends bytes and returns the status codes of all that is answered, until
// the server closes or the client has all the answers that it waits for.
func answers(t *testing.T, address, text string) (codes []int, closed bool) {
	t.Helper()
	conn := dial(t, address)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			_ = conn.Close()
			<-sent
			return codes, true
		}
		codes = append(codes, response.StatusCode)
		if response.StatusCode == http.StatusSwitchingProtocols {
			_ = conn.Close()
			<-sent
			return codes, false
		}
		_, _ = io.Copy(io.Discard, response.Body)
	}
}

// head writes a request's head with the right ends of lines.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

// upgrade writes a handshake for a target with more header lines.
func upgrade(target string, lines ...string) string {
	return head(append([]string{
		"GET " + target + " HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}, lines...)...)
}
