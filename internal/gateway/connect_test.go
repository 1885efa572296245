package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// What the integrations that are no function proxies make of $connect:
// specification, section A.4.
func TestConnectOfIntegrations(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, "said by the backend")
	})
	stuck := NewBackend(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	web := func(kind string, status int, responses ...*apigw.IntegrationResponse) *apigw.Integration {
		return &apigw.Integration{IntegrationType: kind, IntegrationUri: fmt.Sprintf("%s/%d", backend.URL, status), IntegrationResponses: responses}
	}
	function := func(name string, responses ...*apigw.IntegrationResponse) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "AWS", IntegrationUri: FunctionURI(name), IntegrationResponses: responses}
	}
	service := func(responses ...*apigw.IntegrationResponse) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs:path/200", IntegrationResponses: responses}
	}
	mock := func(status string, responses ...*apigw.IntegrationResponse) *apigw.Integration {
		i := Mock(`{"statusCode": ` + status + `}`)
		i.IntegrationResponses = responses
		return i
	}
	withStatus := func(status string) *apigw.IntegrationResponse {
		return answering("$default", "#set($context.responseOverride.status = "+status+")denied")
	}
	const internal, timedOut = "Internal server error", "Endpoint request timed out"
	tests := []struct {
		name        string
		integration *apigw.Integration
		twoWay      bool
		status      int
		message     string // of the gateway's own answer; "" when the body is the integration's
		body        string
	}{
		{"HTTP_PROXY 200", web("HTTP_PROXY", 200), false, 101, "", ""},
		{"HTTP_PROXY 204", web("HTTP_PROXY", 204), false, 101, "", ""},
		{"HTTP_PROXY 404", web("HTTP_PROXY", 404), false, 404, "", "said by the backend"},
		{"HTTP_PROXY timeout", &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: stuck.URL, TimeoutInMillis: 50}, false, 504, timedOut, ""},
		{"HTTP_PROXY unreachable", &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: "http://127.0.0.1:1"}, false, 502, internal, ""},
		{"HTTP 200", web("HTTP", 200, passing...), false, 101, "", ""},
		{"HTTP 200 without integration responses", web("HTTP", 200), false, 101, "", ""},
		{"HTTP 403", web("HTTP", 403, passing...), false, 403, "", "said by the backend"},
		{"HTTP 403 with a template", web("HTTP", 403, answering("/4../", "not $context.integration.status")), false, 403, "", "not 403"},
		{"HTTP 403 without integration responses", web("HTTP", 403), false, 403, "", ""},
		{"HTTP without a match", web("HTTP", 403, answering("/2../", "")), false, 500, internal, ""},
		{"HTTP without integration responses, two-way", web("HTTP", 200), true, 500, internal, ""},
		{"HTTP with a bad header", &apigw.Integration{IntegrationType: "HTTP", IntegrationUri: backend.URL + "/200",
			RequestParameters: map[string]string{"integration.request.header.Transfer-Encoding": "'x'"}}, false, 500, internal, ""},
		{"HTTP timeout", &apigw.Integration{IntegrationType: "HTTP", IntegrationUri: stuck.URL, TimeoutInMillis: 50, IntegrationResponses: passing}, false, 504, timedOut, ""},
		{"AWS function with $default", function("fine", passing...), false, 101, "", ""},
		{"AWS function that fails, by its message", function("fails", answering("/bo+m/", "#set($context.responseOverride.status = 403)denied")), false, 403, "", "denied"},
		{"AWS function that fails, with $default", function("fails", passing...), false, 101, "", ""},
		{"AWS function that fails, without integration responses", function("fails"), false, 502, internal, ""},
		{"AWS function that is not there", function("gone", passing...), false, 500, internal, ""},
		{"AWS service with /200/", service(answering("/200/", "")), false, 101, "", ""},
		{"AWS service with $default", service(passing...), false, 101, "", ""},
		{"AWS service without a match", service(answering("/4../", "")), false, 500, internal, ""},
		{"AWS service that is not known", &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:nothing:action/Do"}, false, 500, internal, ""},
		{"MOCK 200", mock("200"), false, 101, "", ""},
		{"MOCK 200 with $default", mock("200", passing...), false, 101, "", ""},
		{"MOCK 403", mock("403", passing...), false, 403, "", ""},
		{"MOCK with another status", mock("200", withStatus("401")), false, 401, "", "denied"},
		{"MOCK with a status that is none", mock("200", withStatus("99")), false, 500, internal, ""},
		{"MOCK without an integer", mock(`"200"`), false, 500, internal, ""},
		{"unsupported media type", &apigw.Integration{IntegrationType: "MOCK", PassthroughBehavior: "NEVER"}, false, 415, "Unsupported Media Type", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			g.UseServices(map[string]string{"sqs": backend.URL})
			g.Functions.Set("fine", Returns(`{}`))
			g.Functions.Set("fails", func(context.Context, Event) (string, error) { return "", errors.New("boom") })
			g.DeployRoutes(Route{Key: "$connect", Integration: test.integration, TwoWay: test.twoWay}, Route{Key: "$default", Integration: mock("200", answering("$default", "open")), TwoWay: true})
			c, response, err := g.TryDial("/dev")
			if response == nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d: %+v", response.StatusCode, test.status, g.Records.All("connect"))
			}
			if test.status != 101 {
				body, _ := io.ReadAll(response.Body)
				checkRefusal(t, response, string(body), test.message, test.body)
				return
			}
			c.Send("x")
			if got := c.Receive(); got != "open" { // and nothing of $connect's body
				t.Errorf("received %q", got)
			}
		})
	}
}

// The handshake as an integration's template and parameters see it, and the
// subprotocol that an integration response gives: sections A.3, B.6 and D.1.
func TestConnectMappings(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Protocol", "two")
		w.Header().Set("X-Other", "stays behind")
	})
	request := map[string]string{
		"integration.request.header.X-Tenant":               "route.request.header.x-tenant",
		"integration.request.header.X-All":                  "route.request.multivalueheader.X-Many",
		"integration.request.header.Sec-WebSocket-Version":  "'none'",
		"integration.request.header.connectionId":           "context.connectionId",
		"integration.request.querystring.room":              "route.request.querystring.room",
		"integration.request.querystring.rooms":             "route.request.multivaluequerystring.room",
		"integration.request.header.X-Connected":            "context.connectedAt",
		"integration.request.header.X-Identity":             "context.identity.sourceIp",
		"integration.request.header.X-Nothing-Of-A-Message": "route.request.body.x",
	}
	const template = `$input.params('room') $input.params().header.get('X-Tenant') $input.params().querystring $context.eventType $input.body`
	response := &apigw.IntegrationResponse{IntegrationResponseKey: "$default", ResponseParameters: map[string]string{
		"route.response.header.Sec-WebSocket-Protocol": "integration.response.header.X-Protocol",
	}}
	for _, kind := range []string{"HTTP", "HTTP_PROXY"} {
		t.Run(kind, func(t *testing.T) { // one after the other: they share the backend
			g := New(t, websocket.DriverAuto)
			g.DeployRoutes(Route{Key: "$connect", Integration: &apigw.Integration{
				IntegrationType: kind, IntegrationMethod: "POST", IntegrationUri: backend.URL + "/" + kind,
				RequestParameters: request, RequestTemplates: map[string]string{"$default": template},
				IntegrationResponses: []*apigw.IntegrationResponse{response},
			}})
			c := g.Dial("/dev?room=one&room=two%20more", Header("X-Tenant", "acme"), Header("X-Many", "a"), Header("X-Many", "b"),
				func(o *coder.DialOptions) { o.Subprotocols = []string{"one", "two"} })
			call := backend.Last(t)
			protocol, body := "two", "two more acme {room=two more} CONNECT {}"
			if kind == "HTTP_PROXY" { // passes, and maps no answer
				protocol, body = "", ""
			}
			if got := c.Response.Header.Get("Sec-WebSocket-Protocol"); got != protocol || c.Response.Header.Get("X-Other") != "" {
				t.Errorf("header of the 101: %v", c.Response.Header)
			}
			if call.Body != body {
				t.Errorf("body %q, want %q", call.Body, body)
			}
			if call.URL != "/"+kind+"?room=two+more&rooms=one&rooms=two+more" {
				t.Errorf("URL %s", call.URL)
			}
			for name, want := range map[string]string{
				"X-Tenant": "acme", "X-All": "a, b", "Sec-Websocket-Version": "none", "X-Identity": "127.0.0.1", "X-Nothing-Of-A-Message": "",
			} {
				if got := strings.Join(call.Header.Values(name), ", "); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if id := call.Header.Get("connectionId"); len(id) != 20 {
				t.Errorf("connectionId %q", id)
			}
			if at, err := strconv.ParseInt(call.Header.Get("X-Connected"), 10, 64); err != nil || time.Since(time.UnixMilli(at)) > time.Minute {
				t.Errorf("connectedAt %v %v", at, err)
			}
			// B.6 forwards the client's header; B.7 does not.
			if got := call.Header.Get("Sec-Websocket-Key") != ""; got != (kind == "HTTP_PROXY") {
				t.Errorf("Sec-WebSocket-Key was sent: %v", got)
			}
		})
	}
}

// Parameters of HTTP_PROXY on messages and $disconnect: section B.6.
func TestHTTPProxyParameters(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, nil)
	g := New(t, websocket.DriverAuto)
	proxy := func(path string, parameters map[string]string) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationMethod: "PUT", IntegrationUri: backend.URL + path, RequestParameters: parameters,
			RequestTemplates: map[string]string{"$default": "#if("}} // which a proxy has no use for
	}
	g.DeployRoutes(
		Route{Key: "x", TwoWay: true, Integration: proxy("/{room}?fixed=1", map[string]string{
			"integration.request.header.connectionId": "context.connectionId", "integration.request.header.content-type": "'text/plain'",
			"integration.request.path.room": "route.request.body.room", "integration.request.querystring.event": "context.eventType",
		})},
		Route{Key: "y", TwoWay: true, Integration: proxy("/{room}", nil)},
		Route{Key: "z", TwoWay: true, Integration: proxy("/", map[string]string{"integration.request.body": "'x'"})},
		Route{Key: "$disconnect", Integration: proxy("/bye", map[string]string{
			"integration.request.querystring.code": "context.disconnectStatusCode", "integration.request.querystring.why": "context.disconnectReason"})},
	)
	c := g.Dial("/dev")
	message := `{"action":"x","room":"blue/green"}`
	c.Send(message)
	if got := c.Receive(); got != message {
		t.Errorf("received %q", got)
	}
	call := backend.Last(t)
	if call.Method != "PUT" || call.URL != "/blue%2Fgreen?event=MESSAGE&fixed=1" || call.Body != message || strings.Join(call.Header.Values("Content-Type"), ", ") != "text/plain" ||
		call.Header.Get("connectionId") == "" || call.Header.Get("X-Forwarded-For") != "127.0.0.1" {
		t.Errorf("message: %+v", call)
	}
	for _, key := range []string{"y", "z"} { // no value for {room}; no such target
		c.Send(`{"action":"` + key + `"}`)
		if got := describe(c.Receive()); got != internalFrame {
			t.Errorf("%s: received %q", key, got)
		}
	}
	_ = c.Close(4000, "done & gone")
	g.Records.Wait(t, "disconnect", 1)
	if call := backend.Last(t); call.URL != "/bye?code=4000&why=done+%26+gone" || call.Body != "" {
		t.Errorf("$disconnect: %+v", call)
	}
}
