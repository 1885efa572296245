package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// apiKey is the value of the API key with an id.
func apiKey(id string) string { return id + "-0123456789abcdefghij" }

// withKeys is a gateway with API keys: "free" without limits, "quota" with two
// requests a month, "slow" with one at once, "off" disabled, "stranger" of no
// plan.
func withKeys(t *testing.T) *Gateway {
	t.Helper()
	keys := usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil))
	var all []*apigw.ApiKey
	for _, id := range []string{"free", "quota", "slow", "off", "stranger"} {
		all = append(all, &apigw.ApiKey{Id: id, Value: apiKey(id), Enabled: id != "off"})
	}
	stages := []*apigw.PlanStage{{ApiId: "testapi123", Stage: "dev"}}
	problems := keys.Replace(all, []*apigw.UsagePlan{
		{Id: "p1", KeyIds: []string{"free", "off"}, ApiStages: stages},
		{Id: "p2", KeyIds: []string{"quota"}, ApiStages: stages, Quota: &apigw.Quota{Limit: 2, Period: "MONTH"}},
		{Id: "p3", KeyIds: []string{"slow"}, ApiStages: stages, Throttle: &apigw.Throttle{RateLimit: 0.001, BurstLimit: 1}},
	})
	for _, problem := range problems {
		t.Error(problem)
	}
	g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Keys: keys})
	for _, name := range []string{"c", "m"} {
		g.Functions.Set(name, Returns(ok))
	}
	return g
}

// API keys at the handshake, by either selection expression: sections A.5 and
// I.4.
func TestAPIKeyOfHandshake(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		keys    []string // of the header
		id      string   // that the authorizer gives
		status  int
		message string
		kind    string
		caller  string
	}{
		{"none", nil, "", 403, "Forbidden", "INVALID_API_KEY", ""},
		{"unknown", []string{apiKey("nobody")}, "", 403, "Forbidden", "INVALID_API_KEY", ""},
		{"two", []string{apiKey("free"), apiKey("free")}, "", 403, "Forbidden", "INVALID_API_KEY", ""},
		{"very long", []string{strings.Repeat("x", 20000)}, "", 403, "Forbidden", "INVALID_API_KEY", ""},
		{"disabled", []string{apiKey("off")}, "", 403, "Forbidden", "INVALID_API_KEY", "API key off"},
		{"of no plan", []string{apiKey("stranger")}, "", 403, "Forbidden", "INVALID_API_KEY", "API key stranger"},
		{"right", []string{apiKey("free")}, "", 101, "", "", ""},
		{"by the authorizer", nil, apiKey("free"), 101, "", "", ""},
		{"by the authorizer, unknown", []string{apiKey("free")}, apiKey("nobody"), 403, "Forbidden", "INVALID_API_KEY", "ada"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := withKeys(t)
			api := API("testapi123", Route{Key: "$connect", Function: "c"})
			if test.id != "" {
				api = authorized()
				api.ApiKeySelectionExpression = "$context.authorizer.usageIdentifierKey"
				g.Functions.Set("gate", Returns(grant("Allow", "{}", fmt.Sprintf(`,"usageIdentifierKey":%q`, test.id))))
			}
			api.Routes[0].ApiKeyRequired = true
			g.Deploy(api, &apigw.Stage{StageName: "dev"})
			var options []dialOption
			for _, key := range test.keys {
				options = append(options, Header("X-Api-Key", key))
			}
			_, response, err := g.TryDial("/dev?token=t", options...)
			if response == nil || response.StatusCode != test.status {
				t.Fatalf("%v %v", response, err)
			}
			if test.status != 101 {
				wantError(t, response, test.message)
				if refused := g.Records.Wait(t, telemetry.EventConnect, 1).Refused; refused == nil || refused.Result != test.kind || refused.Caller != test.caller {
					t.Errorf("%+v", refused)
				}
				return
			}
			if raw := g.Functions.Events("c")[0].Raw; !strings.Contains(raw, `"identity":{"apiKey":"`+apiKey("free")+`","apiKeyId":"free",`) {
				t.Errorf("section B.2: %s", raw)
			}
		})
	}
}

// Quotas and rates of keys: 429 for handshakes, frames for the messages of
// routes that want a key. $disconnect and other routes count for nothing.
func TestAPIKeyLimits(t *testing.T) {
	t.Parallel()
	g := withKeys(t)
	api := API("testapi123", Route{Key: "$connect", Function: "c"}, Route{Key: "free", Function: "m", TwoWay: true}, Route{Key: "counted", Function: "m", TwoWay: true})
	api.Routes[2].ApiKeyRequired = true
	g.Functions.Set("m", Returns(`{"statusCode":200,"body":"done"}`))
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	for _, test := range []struct {
		key  string
		want []string // answers to counted messages
	}{
		{"free", []string{"done", "done", "done"}},
		{"quota", []string{"done", "done", failing("Limit Exceeded"), failing("Limit Exceeded")}},
		{"slow", []string{"done", failing("Too Many Requests")}},
		{"off", []string{failing("Forbidden")}},
		{"", []string{failing("Forbidden")}},
	} {
		var options []dialOption
		if test.key != "" {
			options = append(options, Header("X-Api-Key", apiKey(test.key)))
		}
		c := g.Dial("/dev", options...)
		for i, want := range test.want {
			c.Send(`{"action":"counted"}`)
			if got := describe(c.Receive()); got != want {
				t.Errorf("%s, message %d: %s, want %s", test.key, i+1, got, want)
			}
		}
		c.Send(`{"action":"free"}`)
		if got := c.Receive(); got != "done" {
			t.Errorf("%s, without a key: %s", test.key, got)
		}
	}
	for _, e := range g.Functions.Events("m") {
		if strings.Contains(e.Raw, "apiKey") {
			t.Errorf("a key that $connect did not check is in %s", e.Raw)
		}
	}
	// The same limits at the handshake.
	api.Routes[0].ApiKeyRequired = true
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	for key, message := range map[string]string{"quota": "Limit Exceeded", "slow": "Too Many Requests"} {
		_, response, err := g.TryDial("/dev", Header("X-Api-Key", apiKey(key)))
		if response == nil || response.StatusCode != 429 {
			t.Fatalf("%v %v", response, err)
		}
		wantError(t, response, message)
	}
}
