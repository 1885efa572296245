package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	coder "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// The forms of URLs: specification, section A.1, and the local ones.
func TestURLForms(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("who", func(_ context.Context, e Event) (string, error) {
		c := e.RequestContext
		return fmt.Sprintf(`{"statusCode":200,"body":"%s %s %s"}`, c.APIID, c.Stage, c.DomainName), nil
	})
	who := Route{Key: "$default", Function: "who", TwoWay: true}
	stages := func(names ...string) (list []*apigw.Stage) {
		for _, name := range names {
			list = append(list, &apigw.Stage{StageName: name})
		}
		return list
	}
	hidden := API("hidden0001", who)
	hidden.DisableExecuteApiEndpoint = true
	g.Deploy(API("first00001", who), stages("dev", "prod")...)
	g.Deploy(API("second0001", who), stages("dev", "only")...)
	g.Deploy(hidden, stages("secret")...)
	g.SetDomains(map[string][]gateway.Mapping{
		"ws.example.com": {{Key: "", APIID: "first00001", Stage: "prod"}, {Key: "chat", APIID: "second0001", Stage: "dev"}, {Key: "chat/v2", APIID: "hidden0001", Stage: "secret"}},
		"no.example.com": {{Key: "chat", APIID: "second0001", Stage: "dev"}},
		"*.example.com":  {{Key: "", APIID: "first00001", Stage: "dev"}},
		"un.example.com": {},
	})
	const firstHost, secondHost = "first00001.execute-api.us-east-1.amazonaws.com", "second0001.execute-api.us-east-1.amazonaws.com"
	const hiddenHost = "hidden0001.execute-api.us-east-1.amazonaws.com"
	tests := []struct {
		host, path string
		want       string // api, stage, domain; "" for 403
	}{
		{firstHost, "/dev", "first00001 dev " + firstHost},
		{strings.ToUpper(firstHost) + ":443", "/dev/", "first00001 dev " + firstHost},
		{firstHost, "/prod?x=1", "first00001 prod " + firstHost},
		{secondHost, "/only", "second0001 only " + secondHost},
		{firstHost, "/only", ""},
		{firstHost, "/", ""},
		{firstHost, "", ""},
		{firstHost, "/dev/more", ""},
		{firstHost, "/dev//", ""},
		{firstHost, "//dev", ""},
		{"unknown001.execute-api.us-east-1.amazonaws.com", "/dev", ""},
		{hiddenHost, "/secret", ""},
		{"ws.example.com", "/", "first00001 prod ws.example.com"},
		{"ws.example.com", "", "first00001 prod ws.example.com"},
		{"WS.example.com:8443", "/chat", "second0001 dev ws.example.com"},
		{"ws.example.com", "/chat/", "second0001 dev ws.example.com"},
		{"ws.example.com", "/chat/v2", "hidden0001 secret ws.example.com"},
		{"ws.example.com", "/chatter", ""},
		{"no.example.com", "/", ""},
		{"no.example.com", "/dev", ""},
		{"any.example.com", "/", "first00001 dev any.example.com"},
		{"un.example.com", "/", ""},
		{"example.com", "/", ""},
		{"far.any.example.com", "/", ""},
		{"", "/_aws/execute-api/first00001/dev", "first00001 dev " + firstHost},
		{"", "/_aws/execute-api/second0001/dev/", "second0001 dev " + secondHost},
		{"", "/_aws/execute-api/second0001/prod", ""},
		{"", "/_aws/execute-api/unknown001/dev", ""},
		{"", "/only", "second0001 only " + secondHost},
		{"", "/prod", "first00001 prod " + firstHost},
		{"", "/dev", ""}, // two APIs have it
		{"", "/nowhere", ""},
	}
	for _, test := range tests {
		t.Run(test.host+test.path, func(t *testing.T) {
			t.Parallel()
			options := []func(*coder.DialOptions){}
			if test.host != "" {
				options = append(options, Host(test.host))
			}
			c, response, err := g.TryDial(test.path, options...)
			if test.want == "" {
				if err == nil || response == nil || response.StatusCode != 403 || response.Header.Get("x-amzn-ErrorType") != "ForbiddenException" {
					t.Errorf("want 403 ForbiddenException, got %v %v", response, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v", err)
			}
			c.Send("who")
			if got := c.Receive(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
	long := "/dev?x=" + strings.Repeat("y", 4096)
	if _, response, _ := g.TryDial(long, Host(firstHost)); response == nil || response.StatusCode != 403 {
		t.Errorf("a URL of over 4096 characters: %v", response)
	}
}

// Requests that are not a proper upgrade: specification, sections A.2 and M.1.
func TestNotAnUpgrade(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.DeployRoutes(Route{Key: "$default"})
	proper := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	tests := []struct {
		name, method, path string
		change             map[string]string
		status             int
		body               string
	}{
		{"plain GET", "GET", "/dev", map[string]string{"Connection": "", "Upgrade": ""}, 426, "This is a WebSocket API"},
		{"old version", "GET", "/dev", map[string]string{"Sec-WebSocket-Version": "8"}, 426, "This is a WebSocket API"},
		{"no key", "GET", "/dev", map[string]string{"Sec-WebSocket-Key": ""}, 400, "Bad WebSocket handshake"},
		{"short key", "GET", "/dev", map[string]string{"Sec-WebSocket-Key": "YWJj"}, 400, "Bad WebSocket handshake"},
		{"no Connection: upgrade", "GET", "/dev", map[string]string{"Connection": "keep-alive"}, 426, "This is a WebSocket API"},
		{"POST", "POST", "/dev", nil, 400, "Bad WebSocket handshake"},
		{"plain GET elsewhere", "GET", "/nowhere", map[string]string{"Connection": "", "Upgrade": ""}, 403, `{"message":"Forbidden"}`},
		{"upgrade elsewhere", "GET", "/nowhere", nil, 403, `{"message":"Forbidden"}`},
		{"below the stage", "GET", "/dev/x", nil, 403, `{"message":"Forbidden"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			for name, value := range proper {
				if changed, found := test.change[name]; found {
					value = changed
				}
				if value != "" {
					headers = append(headers, name, value)
				}
			}
			response, body := g.Do(test.method, g.URL(test.path), nil, headers...)
			if response.StatusCode != test.status || !strings.Contains(body, test.body) {
				t.Errorf("%d %s, want %d %s", response.StatusCode, body, test.status, test.body)
			}
		})
	}
}
