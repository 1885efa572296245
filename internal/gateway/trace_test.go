package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// watcher is a gateway.Watcher that keeps so many bytes of each payload of all events but
// those that it ignores.
type watcher struct {
	keep    int
	ignores event.Type
}

func (w watcher) Watch(e *event.Event, t *trace.Trace) bool {
	t.Keep, t.Thorough = w.keep, true
	return e.Type != w.ignores
}

// tell describes a step in a line, without what differs from run to run.
func tell(s trace.Step) string {
	switch s := s.(type) {
	case trace.Route:
		return fmt.Sprintf("route %s: %s = %q of %v", s.Key, s.Expression, s.Value, s.Known)
	case trace.Limit:
		return fmt.Sprintf("limit %s %s", s.Level, s.Error)
	case trace.Key:
		return fmt.Sprintf("key required=%t id=%s %s", s.Required, s.ID, s.Error)
	case trace.Access:
		return fmt.Sprintf("access %s %s %q %s", s.Kind, s.Name, s.Identity, s.Error)
	case trace.Model:
		return fmt.Sprintf("model %s %q", s.Name, s.Violations)
	case trace.Request:
		return fmt.Sprintf("request %s %s %s %d fields, %s", s.Kind, s.Method, s.URI, len(s.Header), s.Body.Kept)
	case trace.Response:
		return fmt.Sprintf("response %d %d fields, %s %s %s", s.Status, len(s.Header), s.Body.Kept, s.FunctionError, s.Error)
	case trace.Reply:
		return fmt.Sprintf("reply %d error=%t %s", s.Status, s.Error, s.Body.Kept)
	}
	return fmt.Sprintf("%T", s)
}

// steps describes what the trace of a record has, in lines; "-" stands for no trace.
func steps(r telemetry.Record, replace ...string) string {
	if r.Trace == nil {
		return "-"
	}
	var lines []string
	for _, s := range r.Trace.Steps() {
		lines = append(lines, strings.TrimRight(tell(s), " "))
	}
	replace = append(replace, r.ConnectionID, "CONNECTION", r.RequestID, "REQUEST")
	return strings.NewReplacer(replace...).Replace(strings.Join(lines, "\n"))
}

// A watcher gets the steps of the events that it wants to see, on the event loop and in
// goroutines alike.
func TestWatchedEvents(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		backend := NewBackend(t, nil)
		g := NewFrom(t, websocket.Options{Driver: driver}, gateway.Options{
			Guards: gateway.Guards{Unsigned: true}, Watchers: []gateway.Watcher{watcher{keep: 1000, ignores: event.Disconnect}},
		})
		g.Functions.Set("gate", Returns(grant("Allow", `{"level":7}`, "")))
		for _, name := range []string{"c", "d"} {
			g.Functions.Set(name, Returns(ok))
		}
		g.Functions.Set("fails", func(context.Context, Event) (string, error) { return "", fmt.Errorf("it broke") })
		api := authorized(
			Route{Key: "http", Integration: httpProxy(backend.URL + "/hook"), TwoWay: true},
			Route{Key: "fails", Function: "fails"}, Route{Key: "strict", Integration: Mock(`{"statusCode":200}`)},
			Route{Key: "$disconnect", Function: "d"},
		)
		api.Models = []*apigw.Model{{ModelId: "no", Name: "Number", ContentType: "application/json", Schema: `{"type":"number"}`}}
		for _, r := range api.Routes {
			if r.RouteKey == "strict" {
				r.ModelSelectionExpression, r.RequestModels = "any", map[string]string{"$default": "Number"}
			}
		}
		g.Deploy(api, &apigw.Stage{StageName: "dev"})

		c := g.Dial("/dev?token=x")
		connect := g.Records.Wait(t, telemetry.EventConnect, 1)
		want := []string{"route $connect", "limit connections", "limit account", "limit route", `access REQUEST gate "ada"`, "key required=false id=", "request LAMBDA POST https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:c/invocations 5 fields, {", "response 200 1 fields, {\"statusCode\":200}", "reply 101 error=false"}
		got := strings.Split(steps(connect), "\n")
		if len(got) != len(want) {
			t.Fatalf("the handshake has these steps:\n%s", strings.Join(got, "\n"))
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("step %d of the handshake is %q, want %q", i, got[i], want[i])
			}
		}

		const arrived = "limit connection\nlimit account\n"
		const known = " of [fails http strict]\n"
		const selection = ": $request.body.action = "
		messages := []struct{ message, want string }{
			{`{"action":"http"}`, arrived + "route http" + selection + `"http"` + known + "limit route\nkey required=false id=\n" +
				"request HTTP POST BACKEND/hook 7 fields, {\"action\":\"http\"}\nresponse 200 3 fields, {\"action\":\"http\"}\nreply 0 error=false {\"action\":\"http\"}"},
			{`{"action":"none"}`, arrived + "route " + selection + `"none"` + known + `reply 0 error=true {"message": "Forbidden", "connectionId":"CONNECTION", "requestId":"REQUEST"}`},
		}
		for n, m := range messages {
			c.Send(m.message)
			_ = c.Receive()
			record := g.Records.Wait(t, telemetry.EventMessage, n+1)
			if diff := cmp.Diff(m.want, steps(record, backend.URL, "BACKEND")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", m.message, diff)
			}
		}
		c.Send(`{"action":"fails"}`)
		_ = c.Receive()
		if got := steps(g.Records.Wait(t, telemetry.EventMessage, 3)); !strings.Contains(got, "response 200 2 fields, ") || !strings.Contains(got, "} it broke\nreply 0 error=true") {
			t.Errorf("a function that fails:\n%s", got)
		}
		c.Send(`{"action":"strict"}`)
		_ = c.Receive()
		if got := steps(g.Records.Wait(t, telemetry.EventMessage, 4)); !strings.Contains(got, `model Number ["`) || strings.Contains(got, "\nrequest ") {
			t.Errorf("a message that does not fit its model:\n%s", got)
		}
		_ = c.CloseNow()
		if got := steps(g.Records.Wait(t, telemetry.EventDisconnect, 1)); got != "-" {
			t.Errorf("an event that the watcher ignores:\n%s", got)
		}
	})
}
