package gateway_test

import (
	"context"
	"strings"
	"testing"

	coder "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// A URL that leads nowhere is recorded, with why, who asked, and its path. What
// its query holds may be a secret and is not.
func TestRefusedURLs(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	hidden := API("hidden0001", Route{Key: "$default"})
	hidden.DisableExecuteApiEndpoint = true
	g.Deploy(API("first00001", Route{Key: "$default"}), &apigw.Stage{StageName: "dev"})
	g.Deploy(API("second0001", Route{Key: "$default"}), &apigw.Stage{StageName: "dev"}, &apigw.Stage{StageName: "only"})
	g.Deploy(hidden, &apigw.Stage{StageName: "secret"})
	g.SetDomains(map[string][]gateway.Mapping{"ws.example.com": {{Key: "chat", APIID: "first00001", Stage: "dev"}}})
	for i, test := range []struct{ host, path, reason, recorded string }{
		{"", "/prod?token=secret", "no such stage", "/prod"},
		{"", "/dev", "several APIs have a stage of this name", "/dev"},
		{"", "/only/more", "there is nothing below a stage but @connections/{connectionId}", "/only/more"},
		{"", "/_aws/execute-api/unknown001/dev", "no such API", "/_aws/execute-api/unknown001/dev"},
		{"", "/_aws/execute-api/first00001/prod", "no such stage", "/_aws/execute-api/first00001/prod"},
		{"hidden0001.execute-api.us-east-1.amazonaws.com", "/secret", "the API's default endpoint is disabled", "/secret"},
		{"ws.example.com", "/prod", "no mapping of the custom domain leads from this path to a stage", "/prod"},
		{"", "/a%0ab", "no such stage", "/a%0ab"},
		{"", "/" + strings.Repeat("x", 1000), "no such stage", "/" + strings.Repeat("x", telemetry.MaxPath-1)},
		{"", "/" + strings.Repeat("x", 5000), "the URL is longer than 4096 bytes", "/" + strings.Repeat("x", telemetry.MaxPath-1)},
	} {
		options := []func(*coder.DialOptions){}
		if test.host != "" {
			options = append(options, Host(test.host))
		}
		if _, response, err := g.TryDial(test.path, options...); err == nil || response == nil || response.StatusCode != 403 {
			t.Fatalf("%.60s: %v %v", test.path, response, err)
		}
		r := g.Records.Wait(t, telemetry.EventRefused, i+1)
		if r.Status != 403 || r.Error != test.reason || r.Refused == nil {
			t.Fatalf("%.60s: %+v", test.path, r)
		}
		if r.Refused.Path != test.recorded || r.Refused.Source != "127.0.0.1" || test.host != "" && r.Refused.Host != test.host {
			t.Errorf("%.60s: %+v", test.path, r.Refused)
		}
	}
	if response, _ := g.Do("GET", g.URL("/nowhere"), nil); response.StatusCode != 403 {
		t.Errorf("a plain request: %d", response.StatusCode)
	}
	if r := g.Records.Wait(t, telemetry.EventRefused, 11); r.Refused.Path != "/nowhere" {
		t.Errorf("a plain request: %+v", r.Refused)
	}
}

// What a message's integration answers is counted where nobody gets it.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("answer", func(context.Context, Event) (string, error) {
		return `{"statusCode":200,"body":"fifteen bytes!!"}`, nil
	})
	g.DeployRoutes(Route{Key: "silent", Function: "answer"}, Route{Key: "spoken", Function: "answer", TwoWay: true})
	c := g.Dial("/dev")
	c.Send(`{"action":"silent"}`)
	if r := g.Records.Wait(t, telemetry.EventMessage, 1); r.Unanswered != 15 {
		t.Errorf("without a route response: %d bytes unanswered", r.Unanswered)
	}
	c.Send(`{"action":"spoken"}`)
	if r := g.Records.Wait(t, telemetry.EventMessage, 2); r.Unanswered != 0 {
		t.Errorf("with a route response: %d bytes unanswered", r.Unanswered)
	}
}
