package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/lambda"
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
	g.Backends.Functions = instant{}
	const template = `{"statusCode": 200, "action": $input.json('$.action'), "from": "$context.connectionId"}`
	mock := Mock(template)
	mock.IntegrationResponses = []*apigw.IntegrationResponse{answering("$default", `{"stage": "$context.stage"}`)}
	mapped := &apigw.Integration{
		IntegrationType: apigw.IntegrationHTTP, IntegrationMethod: "POST", IntegrationUri: backend.URL,
		RequestTemplates: map[string]string{"$default": template}, IntegrationResponses: []*apigw.IntegrationResponse{answering("$default", `{"got": $input.json('$.action')}`)},
	}
	g.DeployRoutes(
		Route{Key: "http", TwoWay: true, Integration: &apigw.Integration{IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: backend.URL}},
		Route{Key: "function", TwoWay: true, Function: "f"},
		Route{Key: "mock", TwoWay: true, Integration: mock},
		Route{Key: "template", TwoWay: true, Integration: mapped},
		Route{Key: "fail"}, // without a target: the gateway itself answers
	)
	for _, route := range []string{"http", "function", "mock", "template", "fail"} {
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

// instant is a function that takes no time, so that the gateway's is measured.
type instant struct{}

func (instant) Invoke(context.Context, lambda.Invocation) (lambda.Result, error) {
	return lambda.Result{Payload: []byte(`{"statusCode":200,"body":"ok"}`)}, nil
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
