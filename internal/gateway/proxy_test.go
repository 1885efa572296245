package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// All that HTTP_PROXY sends for a message and for $disconnect: specification,
// section B.6. Of the client and its connection nothing is told but where it comes
// from.
func TestHTTPProxyHeader(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, nil)
	g := New(t, websocket.DriverAuto)
	to := &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationMethod: "PUT", IntegrationUri: backend.URL + "/hook"}
	g.DeployRoutes(Route{Key: "$default", Integration: to, TwoWay: true}, Route{Key: "$disconnect", Integration: to})
	c := g.Dial("/dev?token=secret", Header("X-Custom", "yes"), Header("Cookie", "a=b"), Header("X-Forwarded-For", "192.0.2.1"))
	port := g.Address[strings.LastIndexByte(g.Address, ':')+1:]
	check := func(body string) {
		t.Helper()
		call := backend.Last(t)
		trace := call.Header.Get("X-Amzn-Trace-Id")
		want := http.Header{
			"User-Agent": {"AmazonAPIGateway_testapi123"}, "X-Amzn-Apigateway-Api-Id": {"testapi123"}, "X-Amzn-Trace-Id": {trace},
			"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Port": {port}, "X-Forwarded-Proto": {"http"}, "Content-Type": {"application/json"}, "Content-Length": call.Header["Content-Length"],
		}
		if diff := cmp.Diff(want, call.Header); diff != "" || !strings.HasPrefix(trace, "Root=1-") {
			t.Errorf("header (-want +got):\n%s", diff)
		}
		if call.Method != "PUT" || call.URL != "/hook" || call.Body != body {
			t.Errorf("%+v", call)
		}
	}
	c.Send("any text, no JSON")
	if got := c.Receive(); got != "any text, no JSON" {
		t.Errorf("received %q", got)
	}
	check("any text, no JSON")
	_ = c.Close(1000, "")
	g.Records.Wait(t, "disconnect", 1)
	check("")
}

// Headers that the gateway alone writes cannot be mapped for functions either,
// unless they are called by proxy: sections B.7 and D.1.
func TestReservedHeadersOfFunctions(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":200,"body":"answered"}`))
	for _, name := range []string{"Content-Length", "transfer-encoding", "X-Amzn-Trace-Id", "Authorization", "Connection", "Expect", "Proxy-Authenticate", "TE"} {
		mapped := &apigw.Integration{IntegrationType: "AWS", IntegrationUri: FunctionURI("f"), IntegrationResponses: passing,
			RequestParameters: map[string]string{"integration.request.header." + name: "'x'"}}
		overridden := &apigw.Integration{IntegrationType: "AWS", IntegrationUri: FunctionURI("f"), IntegrationResponses: passing,
			RequestTemplates: map[string]string{"$default": `#set($context.requestOverride.header["` + name + `"] = "x"){}`}}
		proxy := *mapped
		proxy.IntegrationType = "AWS_PROXY"
		g.DeployRoutes(Route{Key: "mapped", Integration: mapped, TwoWay: true}, Route{Key: "overridden", Integration: overridden, TwoWay: true},
			Route{Key: "$default", Integration: &proxy, TwoWay: true})
		c := g.Dial("/dev")
		before := len(g.Records.All("message"))
		for i, key := range []string{"mapped", "overridden"} {
			c.Send(`{"action":"` + key + `"}`)
			if got := describe(c.Receive()); got != internalFrame {
				t.Errorf("%s, %s: %q", name, key, got)
			}
			if r := g.Records.Wait(t, "message", before+1+i); r.Status != 500 || !strings.Contains(r.Error, name+" cannot be mapped") {
				t.Errorf("%s, %s: %d %q", name, key, r.Status, r.Error)
			}
		}
		c.Send("x")
		if got := c.Receive(); got != "answered" {
			t.Errorf("%s: the proxy answered %q", name, got)
		}
		g.Records.Wait(t, "message", before+3)
	}
}

// AWS_PROXY takes the plain ARN of a function as well: section H.5.
func TestAWSProxyOfPlainARN(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", func(context.Context, Event) (string, error) { return `{"statusCode":200,"body":"answered"}`, nil })
	plain := &apigw.Integration{IntegrationType: "AWS_PROXY", IntegrationUri: FunctionARN("f")}
	g.DeployRoutes(Route{Key: "$default", Integration: plain, TwoWay: true})
	c := g.Dial("/dev")
	c.Send("x")
	if got := c.Receive(); got != "answered" {
		t.Errorf("received %q", got)
	}
}

// AWS_PROXY calls Lambda and nothing else: section D.2.
func TestAWSProxyOfServices(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	service := &apigw.Integration{IntegrationType: "AWS_PROXY", IntegrationMethod: "POST", IntegrationUri: "arn:aws:apigateway:us-east-1:states:action/StartExecution"}
	g.DeployRoutes(Route{Key: "$default", Integration: service, TwoWay: true})
	c := g.Dial("/dev")
	c.Send("x")
	if got := describe(c.Receive()); got != internalFrame {
		t.Errorf("received %q", got)
	}
	if r := g.Records.Wait(t, "message", 1); !strings.Contains(r.Error, "does not name a Lambda function") {
		t.Errorf("log %q", r.Error)
	}
}
