package gateway_test

import (
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// models are those of the tests' API: a text, a number, and a schema that was
// let pass.
var models = []*apigw.Model{
	{Name: "Text", Schema: `{"required":["text"],"properties":{"text":{"$ref":"https://apigateway.amazonaws.com/restapis/testapi123/models/Word"}}}`},
	{Name: "Word", Schema: `{"type":"string","maxLength":5}`},
	{Name: "Number", Schema: `{"required":["n"],"properties":{"n":{"type":"integer","maximum":9007199254740992}}}`},
	{Name: "Bad", Schema: `{type: object}`},
}

// validated deploys an API that answers every message with itself. Its routes
// are given by key, model selection expression and models.
func validated(t *testing.T, driver websocket.Driver, routes map[string]apigw.Route) *Gateway {
	t.Helper()
	g := New(t, driver)
	g.Functions.Set("echo", Echo)
	api := API("testapi123",
		Route{Key: "$connect", Function: "echo"}, Route{Key: "$disconnect", Function: "echo"}, Route{Key: "$default", Function: "echo", TwoWay: true},
		Route{Key: "x", Function: "echo", TwoWay: true}, Route{Key: "oneway", Function: "echo"},
	)
	api.DisableSchemaValidation = true
	api.Models = models
	for _, route := range api.Routes {
		if given, found := routes[route.RouteKey]; found {
			route.ModelSelectionExpression, route.RequestModels = given.ModelSelectionExpression, given.RequestModels
		}
	}
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	return g
}

// How the model of a message is found, and what fits it: specification,
// section C.3.
func TestModelSelection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		selection string
		models    map[string]string
		message   string
		reason    string // empty: the message goes to the backend
	}{
		{"key by the expression", "$request.body.kind", map[string]string{"t": "Text", "n": "Number"}, `{"action":"x","kind":"t","text":"hi"}`, ""},
		{"key by the expression, no fit", "$request.body.kind", map[string]string{"t": "Text", "n": "Number"}, `{"action":"x","kind":"n","text":"hi"}`, `model Number: required: "n" is missing`},
		{"several variables", "${request.body.action}-${request.body.v}", map[string]string{"x-1": "Text"}, `{"action":"x","v":1,"text":5}`, `model Text: at /text: type: is integer, must be string`},
		{"static expression", "text", map[string]string{"text": "Text", "$default": "Number"}, `{"action":"x","text":"hi"}`, ""},
		{"fallback to $default", "$request.body.kind", map[string]string{"t": "Text", "$default": "Number"}, `{"action":"x","kind":"other","n":9007199254740993}`, `model Number: at /n: maximum: 9007199254740993 is more than allowed`},
		{"fallback for a missing path", "$request.body.kind", map[string]string{"$default": "Number"}, `{"action":"x","n":9007199254740992}`, ""},
		{"the expression $default", "$default", map[string]string{"$default": "Text"}, `{"action":"x","text":"too long"}`, `model Text: at /text: maxLength: 8 characters, must be at most 5`},
		{"no match and no $default", "$request.body.kind", map[string]string{"t": "Text"}, `{"action":"x","kind":"u"}`, `the route has no model for the key "u" and none for $default`},
		{"no models", "$request.body.kind", nil, `{"action":"x"}`, `the route has no model for the key "" and none for $default`},
		{"no expression", "", map[string]string{"$default": "Number"}, `{"action":"x","n":"none"}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := validated(t, websocket.DriverAuto, map[string]apigw.Route{"x": {ModelSelectionExpression: test.selection, RequestModels: test.models}})
			c := g.Dial("/dev")
			c.Send(test.message)
			answer, record := c.Receive(), g.Records.Wait(t, "message", 1)
			if record.Error != test.reason {
				t.Errorf("reason %q", record.Error)
			}
			if test.reason == "" {
				if answer != test.message {
					t.Errorf("answer %q", answer)
				}
				return
			}
			checkFrame(t, answer, "Invalid request body")
			if record.Status != 400 || record.RouteKey != "x" || !strings.Contains(answer, record.RequestID) {
				t.Errorf("record %+v of %s", record, answer)
			}
			called := 0
			for _, e := range g.Functions.Events("echo") {
				if e.RequestContext.EventType == "MESSAGE" {
					called++
				}
			}
			if called != 0 {
				t.Error("the backend was called")
			}
			c.Send("another")
			if got := c.Receive(); got != "another" {
				t.Errorf("the connection does not go on: %q", got)
			}
		})
	}
}

// The frame's bytes, on one-way routes and for what is not JSON:
// specification, sections C.3 and C.4.
func TestInvalidRequestBody(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		word := apigw.Route{ModelSelectionExpression: "$request.body.kind", RequestModels: map[string]string{"$default": "Text"}}
		g := validated(t, driver, map[string]apigw.Route{"$default": word, "oneway": word, "$connect": word, "$disconnect": word})
		c := g.Dial("/dev") // the models of $connect do not apply
		for i, message := range []string{`{"action":"oneway"}`, `not JSON`, `{text:"a"}`, ``, `{"text":5}`} {
			c.Send(message)
			got, record := c.Receive(), g.Records.Wait(t, "message", i+1)
			want := `{"message": "Invalid request body", "connectionId":"` + record.ConnectionID + `", "requestId":"` + record.RequestID + `"}`
			if got != want {
				t.Errorf("%q: got %s, want %s", message, got, want)
			}
		}
		_ = c.CloseNow()
		if r := g.Records.Wait(t, "disconnect", 1); r.Error != "" {
			t.Errorf("$disconnect: %+v", r)
		}
	})
}

// A route whose model cannot be used lets nothing pass; the others work.
func TestUnusableModel(t *testing.T) {
	t.Parallel()
	for name, route := range map[string]apigw.Route{
		`request model $default: model Bad: the schema is not JSON at offset 1: expected a name in quotes`:                                                         {ModelSelectionExpression: "$default", RequestModels: map[string]string{"$default": "Bad"}},
		`request model k: the API has no model Gone`:                                                                                                               {ModelSelectionExpression: "$default", RequestModels: map[string]string{"$default": "Text", "k": "Gone"}},
		`model selection expression "$context.routeKey": variable $context.routeKey is not known here; it must be $request.body.{path} or text without a variable`: {ModelSelectionExpression: "$context.routeKey"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := validated(t, websocket.DriverAuto, map[string]apigw.Route{"x": route})
			c := g.Dial("/dev")
			c.Send(`{"action":"x","text":"hi"}`)
			checkFrame(t, c.Receive(), "Internal server error")
			if r := g.Records.Wait(t, "message", 1); r.Error != "Execution failed due to configuration error: "+name {
				t.Errorf("reason %q", r.Error)
			}
			c.Send("another")
			if got := c.Receive(); got != "another" {
				t.Errorf("another route: %q", got)
			}
		})
	}
}
