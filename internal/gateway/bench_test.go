package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// BenchmarkMessage is the whole way of a message: a client's socket, the
// gateway, a backend and back. All of it shares this process.
func BenchmarkMessage(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	}))
	defer backend.Close()
	g := New(b, websocket.DriverAuto)
	g.DeployRoutes(
		Route{Key: "http", TwoWay: true, Integration: &apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL}},
		Route{Key: "fail"}, // without a target: the gateway itself answers
	)
	for _, route := range []string{"http", "fail"} {
		b.Run(route, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				exchange, err := dialRaw(b, g, `{"action":"`+route+`"}`)
				for err == nil && pb.Next() {
					err = exchange()
				}
				if err != nil {
					b.Error(err)
				}
			})
		})
	}
}

// dialRaw connects without a WebSocket library, whose work would be measured
// too. The function it returns sends the message and waits for the answer;
// both have less than 126 bytes.
func dialRaw(b *testing.B, g *Gateway, message string) (exchange func() error, err error) {
	c, err := net.Dial("tcp", g.Address)
	if err != nil {
		return nil, err
	}
	b.Cleanup(func() { _ = c.Close() })
	request, err := http.NewRequest(http.MethodGet, g.URL("/dev"), nil)
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Version": {"13"},
	}
	if err := request.Write(c); err != nil {
		return nil, err
	}
	in := bufio.NewReader(c)
	if response, err := http.ReadResponse(in, request); err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake: %v, %w", response, err)
	}
	frame := append([]byte{0x81, 0x80 | byte(len(message)), 0, 0, 0, 0}, message...) // masked with zeros
	return func() error {
		if _, err := c.Write(frame); err != nil {
			return err
		}
		head, err := in.Peek(2)
		if err != nil {
			return err
		}
		_, err = in.Discard(2 + int(head[1]))
		return err
	}, nil
}
