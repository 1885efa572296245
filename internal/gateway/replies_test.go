package gateway_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// An error frame is one text frame, whole and not compressed: specification,
// section C.4.
func TestErrorFrameOnTheWire(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.DeployRoutes(Route{Key: "x"})
		conn, reader := upgraded(t, g)
		_, _ = conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
		head := make([]byte, 2)
		if _, err := io.ReadFull(reader, head); err != nil || head[0] != 0x81 || head[1] > 125 {
			t.Fatalf("head %x, %v; want a text frame with FIN", head, err)
		}
		frame := make([]byte, head[1])
		_, _ = io.ReadFull(reader, frame)
		checkFrame(t, string(frame), "Forbidden")
	})
}

// The frame names the request that the function knows, and each message has one
// of its own: section C.4.
func TestRequestIDOfErrorFrames(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns("null"))
	g.DeployRoutes(Route{Key: "$default", Function: "f"})
	c := g.Dial("/dev")
	for i := range 3 {
		c.Send("x")
		match := errorFrame.FindStringSubmatch(c.Receive())
		if match == nil {
			t.Fatal("no error frame")
		}
		event := g.Functions.Events("f")[i].RequestContext
		if match[2] != event.ConnectionID || match[3] != event.RequestID {
			t.Errorf("frame of %s on %s; the event is %+v", match[3], match[2], event)
		}
	}
}

// What functions must not return, for messages: section C.5. The log's status
// is 502.
func TestMalformedResults(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	var result atomic.Value
	g.Functions.Set("f", func(context.Context, Event) (string, error) { return result.Load().(string), nil })
	g.DeployRoutes(Route{Key: "two", Function: "f", TwoWay: true}, Route{Key: "one", Function: "f"})
	c := g.Dial("/dev")
	n := 0
	for _, test := range []struct{ result, reason string }{
		{`{"statusCode":200,"body":"x","extra":1}`, `unknown member "extra"`},
		{`{"statuscode":200}`, `unknown member "statuscode"`},
		{`null`, "null is not an object"},
		{`"text"`, `"text" is not an object`},
		{`["text"]`, "is not an object"},
		{`42`, "42 is not an object"},
		{``, "is not an object"},
		{`{"statusCode":200,"body":`, "is not an object"},
		{`{"statusCode":200,"body":{"a":1}}`, `body is not a string: {"a":1}`},
		{`{"statusCode":200,"body":1}`, `body is not a string: 1`},
		{`{"statusCode":"fine"}`, `statusCode is "fine"`},
		{`{"statusCode":"invalid","body":{"a":1}}`, "malformed"},
		{`{"statusCode":200,"body":"%","isBase64Encoded":true}`, "body is not base64"},
	} {
		result.Store(test.result)
		for _, key := range []string{"one", "two"} {
			c.Send(`{"action":"` + key + `"}`)
			checkFrame(t, c.Receive(), "Internal server error")
			n++
			if r := g.Records.Wait(t, "message", n); r.Status != 502 || !strings.Contains(r.Error, "malformed Lambda proxy response: ") || !strings.Contains(r.Error, test.reason) {
				t.Errorf("%s, %s-way: %d %q, want 502 and %q", test.result, key, r.Status, r.Error, test.reason)
			}
		}
	}
}

// Failures of integrations that are no proxies reach one-way routes as well, and
// $disconnect, for which nobody is left: section C.4.
func TestFramesOfOneWayRoutes(t *testing.T) {
	t.Parallel()
	never := &apigw.Integration{IntegrationType: "MOCK", PassthroughBehavior: "NEVER", IntegrationResponses: passing}
	template := Mock("#set($l = [])$l.get(1)")
	for name, test := range map[string]struct {
		integration *apigw.Integration
		message     string
	}{
		"unsupported media type": {never, "Unsupported Media Type"},
		"template that fails":    {template, "Internal server error"},
	} {
		for _, twoWay := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", two-way ", twoWay), func(t *testing.T) {
				t.Parallel()
				g := New(t, websocket.DriverAuto)
				g.DeployRoutes(Route{Key: "$default", Integration: test.integration, TwoWay: twoWay}, Route{Key: "$disconnect", Integration: test.integration})
				c := g.Dial("/dev")
				for range 2 {
					c.Send("x")
					checkFrame(t, c.Receive(), test.message)
				}
				_ = c.Close(1000, "")
				if r := g.Records.Wait(t, "disconnect", 1); r.Error == "" || r.Status != 1000 {
					t.Errorf("$disconnect: %+v", r)
				}
			})
		}
	}
}

// Models guard routes of every kind of integration: section C.3.
func TestModelsOfOtherIntegrations(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, nil)
	for name, i := range map[string]*apigw.Integration{
		"HTTP":       {IntegrationType: "HTTP", IntegrationUri: backend.URL, IntegrationResponses: passing},
		"HTTP_PROXY": {IntegrationType: "HTTP_PROXY", IntegrationUri: backend.URL},
		"MOCK":       {IntegrationType: "MOCK", IntegrationResponses: passing, RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`}},
		"AWS":        {IntegrationType: "AWS", IntegrationUri: FunctionURI("f"), IntegrationResponses: passing},
	} {
		g := New(t, websocket.DriverAuto)
		g.Functions.Set("f", func(_ context.Context, e Event) (string, error) { return e.Raw, nil })
		api := API("testapi123", Route{Key: "$default", Integration: i, TwoWay: true})
		api.Models = models
		api.DisableSchemaValidation = true
		api.Routes[0].ModelSelectionExpression, api.Routes[0].RequestModels = "$request.body.kind", map[string]string{"t": "Text"}
		g.Deploy(api, &apigw.Stage{StageName: "dev"})
		c := g.Dial("/dev")
		before := backend.Calls()
		c.Send(`{"kind":"t","text":5}`)
		if got := describe(c.Receive()); got != failing("Invalid request body") || backend.Calls() != before || len(g.Functions.Events("f")) != 0 {
			t.Errorf("%s: %q after %d calls", name, got, backend.Calls()-before)
		}
		fits := `{"kind":"t","text":"hi"}`
		c.Send(fits)
		if got := c.Receive(); got != fits && name != "MOCK" || name == "MOCK" && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What a deployment changes takes effect on open connections, and not before:
// routes renamed, answers given and taken away. Section C.8.
func TestRedeployedRoutes(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.Functions.Set("echo", Echo)
		fallback := Route{Key: "$default"}
		g.DeployRoutes(Route{Key: "old", Function: "echo"}, fallback)
		c := g.Dial("/dev")
		n := 0
		send := func(key, want string) {
			t.Helper()
			message := `{"action":"` + key + `"}`
			c.Send(message)
			n++
			g.Records.Wait(t, "message", n)
			switch want {
			case "":
			case "echo":
				want = message
				fallthrough
			default:
				if got := describe(c.Receive()); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
		}
		send("old", "")
		send("new", internalFrame)
		g.DeployRoutes(Route{Key: "old", Function: "echo", TwoWay: true}, fallback)
		send("old", "echo")
		g.DeployRoutes(Route{Key: "new", Function: "echo", TwoWay: true}, fallback)
		send("old", internalFrame)
		send("new", "echo")
		g.DeployRoutes(Route{Key: "new", Function: "echo"}, fallback)
		send("new", "")
		send("old", internalFrame)
	})
}
