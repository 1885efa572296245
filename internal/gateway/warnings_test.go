package gateway_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// What is probably a mistake in a template is told of once for each of its
// lines, however many messages meet it; of a new deployment anew.
func TestTemplateWarnings(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	deploy := func() {
		i := Mock("#set($a = $input.path('$.a'))\n#set($b = 1 / 0)\n{\"statusCode\": 200}")
		i.IntegrationResponses = []*apigw.IntegrationResponse{answering("$default", "#set($c = $none)$context.routeKey")}
		g.DeployRoutes(Route{Key: "$default", Integration: i, TwoWay: true})
	}
	const (
		first  = `requestTemplates["200"]: line 1, column 1: #set of $a has no value, and is left out`
		second = `requestTemplates["200"]: line 2, column 13: a division by zero has no value`
		third  = `integration response "$default": responseTemplates["$default"]: line 1, column 1: #set of $c has no value, and is left out`
	)
	deploy()
	c := g.Dial("/dev")
	for n, test := range []struct {
		message string
		want    []string
	}{{`{"a": 1}`, []string{second, third}}, {`{}`, []string{first}}, {`{}`, nil}, {`{"a": null}`, nil}} {
		c.Send(test.message)
		if got := c.Receive(); got != "$default" {
			t.Errorf("received %q", got)
		}
		r := g.Records.Wait(t, "message", n+1)
		if diff := cmp.Diff(test.want, r.Warnings); diff != "" || r.Error != "" {
			t.Errorf("%s: %q, warnings (-want +got):\n%s", test.message, r.Error, diff)
		}
	}
	deploy()
	c.Send("{}")
	if got := g.Records.Wait(t, "message", 5).Warnings; len(got) != 3 {
		t.Errorf("after a new deployment: %q", got)
	}
}

// A warning that quotes a client is short, and one client's flood is one warning.
func TestWarningsThatQuoteClients(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	i := Mock(`#evaluate($input.path('$.t')){"statusCode": 200}`)
	i.IntegrationResponses = passing
	g.DeployRoutes(Route{Key: "$default", Integration: i})
	c := g.Dial("/dev")
	c.Send(`{"t": "#set($` + strings.Repeat("ä", 3000) + ` = $none)\n#set($x` + strings.Repeat("é", 3000) + ` = $none)"}`)
	c.Send(`{"t": "#set($x` + strings.Repeat("x", 3000) + ` = $none)\n\n\n#set($y = $none)"}`)
	g.Records.Wait(t, "message", 2)
	warnings := 0
	for _, r := range g.Records.All("message") {
		for _, warning := range r.Warnings {
			if warnings++; len(warning) > 400 {
				t.Errorf("a warning of %d bytes", len(warning))
			}
		}
	}
	if warnings > 1 {
		t.Errorf("%d warnings", warnings)
	}
}
