package gateway_test

import (
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Route selection expressions, by the route that a message takes: specification,
// sections C.1, C.2 and M.13.
func TestRouteSelectionExpressions(t *testing.T) {
	t.Parallel()
	tests := []struct{ expression, message, key string }{
		{"$request.body.action", `{"action":"join"}`, "join"},
		{"${request.body.action}", `{"action":"join"}`, "join"},
		{"$request.body.a.b[1]", `{"a":{"b":["x","join"]}}`, "join"},
		{"${request.body.service}/${request.body.action}", `{"service":"chat","action":"join"}`, "chat/join"},
		{"${request.body.action}-${request.body.invalidPath}", `{"action":"join"}`, "join-"},
		{"v${request.body.version}", `{"version":1}`, "v1"},
		{"$request.body.flag", `{"flag":true}`, "true"},
		{"$request.body.size", `{"size":1.50}`, "1.50"},
		{"$request.body.list", `{"list":["item1","item2"]}`, "[item1, item2]"},
		{"$request.body.map", `{"map":{"a":"b"}}`, "{a=b}"},
		{"$request.body.action", `{"action":"${request.body.other}","other":"join"}`, "${request.body.other}"}, // once
		{"action", `{"action":"join"}`, "action"},
		{`\$default`, `{"action":"join"}`, "$default"},
		{"$request.body.action", `{"action":"Join"}`, "$default"},
		{"$request.body.action", `not JSON`, "$default"},
	}
	for _, test := range tests {
		t.Run(test.expression+" "+test.message, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			name := Mock(`{"statusCode": 200}`)
			name.IntegrationResponses = []*apigw.IntegrationResponse{answering("$default", "$context.routeKey")}
			routes := []Route{{Key: "$default", Integration: name, TwoWay: true}, {Key: "join", Integration: name, TwoWay: true}}
			if test.key != "$default" && test.key != "join" {
				routes = append(routes, Route{Key: test.key, Integration: name, TwoWay: true})
			}
			api := API("testapi123", routes...)
			api.RouteSelectionExpression = test.expression
			g.Deploy(api, &apigw.Stage{StageName: "dev"})
			c := g.Dial("/dev")
			c.Send(test.message)
			if got := c.Receive(); got != test.key {
				t.Errorf("went to %q, want %q", got, test.key)
			}
		})
	}
}

// A route answers when it has the route response $default: sections C.5, D.4
// and M.4.
func TestRouteResponses(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("echo", Echo)
	api := API("testapi123", Route{Key: "expression", Function: "echo"}, Route{Key: "response", Function: "echo", TwoWay: true},
		Route{Key: "both", Function: "echo", TwoWay: true}, Route{Key: "other", Function: "echo", TwoWay: true})
	api.Routes[0].RouteResponseSelectionExpression = "$default"
	api.Routes[2].RouteResponseSelectionExpression = "$default"
	// What a route response says beside its key has no effect.
	api.Routes[2].RouteResponses[0].ModelSelectionExpression = "$request.body.none"
	api.Routes[2].RouteResponses[0].ResponseModels = map[string]string{"$default": "None"}
	api.Routes[3].RouteResponses[0].RouteResponseKey = "other"
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	c := g.Dial("/dev")
	n := 0
	for _, key := range []string{"expression", "response", "other", "both"} {
		message := `{"action":"` + key + `"}`
		c.Send(message)
		n++
		if r := g.Records.Wait(t, "message", n); r.Error != "" {
			t.Errorf("%s: %+v", key, r)
		}
		if key == "expression" || key == "other" {
			continue // the next answer shows that there was none
		}
		if got := c.Receive(); got != message {
			t.Errorf("%s: received %q", key, got)
		}
	}
}
