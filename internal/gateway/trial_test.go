package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// A trial goes the way of a client's event, and leaves nothing behind: no connection, and
// no record.
func TestTrial(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	echo := Mock(`{"statusCode": 200}`)
	echo.IntegrationResponses = []*apigw.IntegrationResponse{
		answering("200", "$context.authorizer.who on $context.connectionId"),
	}
	g.DeployRoutes(
		Route{Key: "$connect", Integration: Mock(`{"statusCode": #if($input.params('deny') != "")403#{else}200#end}`)},
		Route{Key: "echo", Integration: echo, TwoWay: true},
		Route{Key: "oneway", Integration: Mock(`{"statusCode": 200}`)},
	)
	handshake := func(query string) *http.Request {
		r, err := http.NewRequest(http.MethodGet, "ws://localhost/dev"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr = "192.0.2.1:1234"
		return r
	}
	try := func(trial gateway.Trial) *gateway.Verdict {
		trial.APIID, trial.Stage, trial.Trace = "testapi123", "dev", &trace.Trace{Keep: 1000}
		trial.Identifiers.ConnectionID = "the-id="
		verdict, err := g.Try(trial)
		if err != nil {
			t.Fatal(err)
		}
		return verdict
	}
	if v := try(gateway.Trial{Handshake: handshake("")}); !v.Accepted || v.Status != 101 || v.RouteKey != "$connect" || v.Replied {
		t.Errorf("$connect: %+v", v)
	}
	if v := try(gateway.Trial{Handshake: handshake("?deny=1")}); v.Accepted || v.Status != 403 || v.Failed != nil {
		t.Errorf("a $connect that is refused: %+v", v)
	}
	client := &event.Client{Context: []event.Parameter{{Name: "who", Value: "ada"}}}
	if v := try(gateway.Trial{Handshake: handshake(""), IsMessage: true, Message: []byte(`{"action":"echo"}`), Client: client}); string(v.Reply) != "ada on the-id=" || !v.Replied {
		t.Errorf("a message: %+v", v)
	}
	if v := try(gateway.Trial{Handshake: handshake(""), IsMessage: true, Message: []byte(`{"action":"oneway"}`)}); v.Replied || v.Failed != nil || v.RouteKey != "oneway" {
		t.Errorf("a message that nothing is answered to: %+v", v)
	}
	if v := try(gateway.Trial{Handshake: handshake(""), IsMessage: true, Message: []byte(`{"action":"none"}`)}); v.Failed == nil || v.RouteKey != "" || !v.Replied {
		t.Errorf("a message without a route: %+v", v)
	}
	if _, err := g.Try(gateway.Trial{APIID: "testapi123", Stage: "none"}); err == nil {
		t.Error("a stage that is not there")
	}
	if n := g.Connections(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
	for _, kind := range []string{"connect", "message", "disconnect"} {
		if records := g.Records.All(kind); len(records) != 0 {
			t.Errorf("%d records of %s", len(records), kind)
		}
	}
}
