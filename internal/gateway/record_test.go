package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Whoever watches can read the $context of every event of a connection, by the
// names of section K.1, as it was at the end of the event.
func TestContextOfRecords(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Records.Ask("status", "eventType", "routeKey", "connectionId", "authorizer.principalId", "authorizer.level", "error.message", "error.responseType", "waf.status")
	for _, name := range []string{"c", "d", "fine"} {
		g.Functions.Set(name, Returns(ok))
	}
	g.Functions.Set("busy", Returns(`{"statusCode":503}`))
	g.Functions.Set("broken", func(context.Context, Event) (string, error) { return "", errors.New("broken") })
	g.Functions.Set("gate", Returns(grant("Allow", `{"level":7}`, "")))
	g.Deploy(authorized(
		Route{Key: "fine", Function: "fine"}, Route{Key: "busy", Function: "busy"}, Route{Key: "broken", Function: "broken"},
		Route{Key: "$disconnect", Function: "d"},
	), &apigw.Stage{StageName: "dev"})
	if _, response, _ := g.TryDial("/dev"); response == nil || response.StatusCode != 401 {
		t.Fatalf("without a token: %v", response)
	}
	c := g.Dial("/dev?token=x")
	for _, action := range []string{"fine", "busy", "broken", "none"} {
		c.Send(`{"action":"` + action + `"}`)
	}
	g.Records.Wait(t, telemetry.EventMessage, 4)
	c.CloseNow()

	g.Records.Wait(t, telemetry.EventDisconnect, 1)

	const internal = "Internal server error"
	tests := map[string][]any{ // by event and status: authorizer.principalId, authorizer.level, error.message, error.responseType
		"CONNECT $connect 401":       {nil, nil, "Unauthorized", "UNAUTHORIZED"},
		"CONNECT $connect 200":       {"ada", "7", nil, nil},
		"MESSAGE fine 200":           {"ada", "7", nil, nil},
		"MESSAGE busy 503":           {"ada", "7", nil, nil},
		"MESSAGE broken 502":         {"ada", "7", internal, "INTEGRATION_FAILURE"},
		"MESSAGE <nil> 403":          {"ada", "7", "Forbidden", "DEFAULT_4XX"},
		"DISCONNECT $disconnect 200": {"ada", "7", nil, nil},
	}
	seen := 0
	for _, kind := range []string{telemetry.EventConnect, telemetry.EventMessage, telemetry.EventDisconnect} {
		for _, record := range g.Records.All(kind) {
			variable := record.Context.Variable
			name := fmt.Sprint(variable("eventType"), " ", variable("routeKey"), " ", variable("status"))
			got := []any{variable("authorizer.principalId"), variable("authorizer.level"), variable("error.message"), variable("error.responseType")}
			if diff := cmp.Diff(tests[name], got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if variable("connectionId") != record.ConnectionID || variable("waf.status") != nil {
				t.Errorf("%s: %v, %v", name, variable("connectionId"), variable("waf.status"))
			}
			seen++
		}
	}
	if seen != len(tests) {
		t.Errorf("%d events, want %d", seen, len(tests))
	}
}
