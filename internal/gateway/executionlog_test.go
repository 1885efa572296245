package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	coder "github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// withLevel is a stage whose events are logged.
func withLevel(level string, data bool) *apigw.Stage {
	return &apigw.Stage{
		StageName:            "dev",
		DefaultRouteSettings: &apigw.RouteSettings{LoggingLevel: level, DataTraceEnabled: &data},
	}
}

var milliseconds = regexp.MustCompile(`latency: \d+ ms`)

// wantLines waits for the lines of the n-th event of a kind, and compares them without what
// differs from run to run. Each has the event's request id in front, which is cut off. A
// line that ends with "…" is wanted to begin so.
func wantLines(t *testing.T, g *Gateway, kind string, n int, want string) {
	t.Helper()
	wanted := strings.Split(strings.Trim(want, "\n"), "\n")
	record := g.Records.Wait(t, kind, n)
	lines := g.ExecutionLog.Take(t, len(wanted))
	for i, line := range lines {
		line, found := strings.CutPrefix(line, "("+record.RequestID+") ")
		if !found {
			t.Errorf("line %d has no request id: %s", i+1, line)
		}
		line = strings.NewReplacer(record.RequestID, "REQUEST", record.ConnectionID, "CONNECTION").Replace(line)
		line = milliseconds.ReplaceAllString(line, "latency: 1 ms")
		if begin, cut := strings.CutSuffix(wanted[i], "…"); cut && strings.HasPrefix(line, begin) {
			line = wanted[i]
		}
		lines[i] = line
	}
	if diff := cmp.Diff(wanted, lines); diff != "" {
		t.Errorf("%s %d (-want +got):\n%s", kind, n, diff)
	}
}

// begin is lines 2 to 6 of section K.2, of a route without an API key, behind the
// first.
func begin(route string) string {
	return `
Extended Request Id: REQUEST
Verifying Usage Plan for request: REQUEST. API Key:  API Stage: testapi123/dev
API Key  authorized because route '` + route + `' does not require API Key. Request will not contribute to throttle or quota limits
Usage Plan check succeeded for API Key  and API Stage testapi123/dev
Starting execution for request: REQUEST
WebSocket Request Route: [` + route + `]`
}

const received = `
WebSocket API [testapi123] received message from client [Connection Id: CONNECTION].`

func sent(status int) string {
	return fmt.Sprintf("\nMessage from client [Connection Id: CONNECTION] sent to API [testapi123] with response status code [%d].", status)
}

// The lines of section K.2 at INFO without data, in their order, on the event loop and in
// goroutines alike.
func TestExecutionLog(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		for name, result := range map[string]string{"c": ok, "d": ok, "fine": ok, "busy": `{"statusCode":503}`} {
			g.Functions.Set(name, Returns(result))
		}
		g.Functions.Set("broken", func(context.Context, Event) (string, error) { return "", errors.New("it\nbroke") })
		backend := NewBackend(t, nil)
		api := API("testapi123", Route{Key: "$connect", Function: "c"}, Route{Key: "$disconnect", Function: "d"},
			Route{Key: "fine", Function: "fine"}, Route{Key: "busy", Function: "busy"}, Route{Key: "broken", Function: "broken"},
			Route{Key: "http", Integration: httpProxy(backend.URL), TwoWay: true}, Route{Key: "strict", Function: "fine"})
		api.Models = []*apigw.Model{{ModelId: "no", Name: "Number", ContentType: "application/json", Schema: `{"type":"number"}`}}
		for _, r := range api.Routes {
			if r.RouteKey == "strict" {
				r.ModelSelectionExpression, r.RequestModels = "any", map[string]string{"$default": "Number"}
			}
		}
		g.Deploy(api, withLevel("INFO", false))

		c := g.Dial("/dev", Header("User-Agent", "tester"))
		const endpoint = "\nAWS Integration Endpoint RequestId : …"
		wantLines(t, g, telemetry.EventConnect, 1, begin("$connect")+`
Client [UserAgent: tester, SourceIp: 127.0.0.1] is connecting to WebSocket API [testapi123].`+endpoint+`
Client [Connection Id: CONNECTION] connected to API [testapi123] successfully.`)

		for n, test := range []struct{ action, want string }{
			{"fine", begin("fine") + received + endpoint + sent(200)},
			{"busy", begin("busy") + received + endpoint + sent(503)},
			{"http", begin("http") + received + sent(200)},
			{"broken", begin("broken") + received + `
Lambda execution failed with status 200 due to customer function error: it\nbroke. Lambda request id: …` + endpoint + sent(502)},
			{"strict", begin("strict") + received + "\nmodel Number: type: is object, must be number"},
			{"none", "Extended Request Id: REQUEST\nno route matches and the API has no $default"},
		} {
			c.Send(`{"action":"` + test.action + `"}`)
			wantLines(t, g, telemetry.EventMessage, n+1, test.want)
		}
		_ = c.Close(coder.StatusNormalClosure, "bye\nbye")
		wantLines(t, g, telemetry.EventDisconnect, 1, begin("$disconnect")+endpoint+`
Client [Connection Id: CONNECTION] disconnected from API [testapi123] with integration response status code [200]. Close reason: [1000: bye\nbye]`)
	})
}

// An API without routes of its own for them logs handshakes and ends as well: without an
// integration, as section K.2 has it.
func TestExecutionLogWithoutIntegration(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Deploy(API("testapi123"), withLevel("INFO", true))
	c := g.Dial("/dev", Header("User-Agent", "tester\u0085"))
	wantLines(t, g, telemetry.EventConnect, 1, begin("$connect")+`
Client [UserAgent: tester\u0085, SourceIp: 127.0.0.1] is connecting to WebSocket API [testapi123].
Client [Connection Id: CONNECTION] connected to API [testapi123] successfully.`)
	_ = c.CloseNow()
	wantLines(t, g, telemetry.EventDisconnect, 1, begin("$disconnect")+`
Client [Connection Id: CONNECTION] disconnected from API [testapi123]. Close reason: [1006: Connection closed abnormally]`)
}

// With data, the log has what came and went, without secrets.
func TestExecutionLogWithData(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		backend := NewBackend(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			w.Header().Set("Set-Cookie", "session=abc")
			_, _ = w.Write([]byte("{\"text\":\"hello\",\n\"refreshToken\":\"abc\"}"))
		})
		g.Functions.Set("fine", Returns(`{"statusCode":200,"body":"{\"password\":\"abc\"}"}`))
		url := backend.URL + "/hook?room=1&X-Amz-Signature=abc"
		g.Deploy(API("testapi123", Route{Key: "$connect", Integration: httpProxy(url)}, Route{Key: "fine", Function: "fine"},
			Route{Key: "http", Integration: httpProxy(url)}), withLevel("INFO", true))

		const host = "BACKEND/hook?room=1&X-Amz-Signature=***"
		take := func(kind string, n int, want string) {
			t.Helper()
			wantLines(t, g, kind, n, strings.ReplaceAll(want, "BACKEND", backend.URL))
		}
		const answer = `
Received response. Status: 200, Integration latency: 1 ms
Endpoint response headers: {Content-Length=38, Content-Type=text/plain; charset=utf-8, Set-Cookie=***}
Endpoint response body before transformations: {"text":"hello",\n"refreshToken":"***"}`
		c := g.Dial("/dev?token=secret", Header("User-Agent", "tester"), Header("Authorization", "Bearer abcdefghijkl"), Header("X-Api-Key", "0123456789abcdef"))
		take(telemetry.EventConnect, 1, begin("$connect")+`
Client [UserAgent: tester, SourceIp: 127.0.0.1] is connecting to WebSocket API [testapi123].
Endpoint request URI: `+host+`&token=***
Endpoint request headers: {Authorization=*************ghijkl, …
Endpoint request body after transformations: 
Sending request to `+host+`&token=***`+answer+`
Client [Connection Id: CONNECTION] connected to API [testapi123] successfully.`)

		c.Send("{\"action\":\"http\",\n\"token\":\"abc\"}")
		take(telemetry.EventMessage, 1, begin("http")+received+`
WebSocket API [testapi123] received message from client [CONNECTION]. Message: [{"action":"http",\n"token":"***"}].
Endpoint request URI: `+host+`
Endpoint request headers: {Content-Type=application/json, User-Agent=AmazonAPIGateway_testapi123, X-Amzn-Apigateway-Api-Id=testapi123, …
Endpoint request body after transformations: {"action":"http",\n"token":"***"}
Sending request to `+host+answer+sent(200))

		c.Send(`{"action":"fine","text":"` + strings.Repeat("ä", 2000) + `"}`)
		const lambda = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:fine/invocations"
		take(telemetry.EventMessage, 2, begin("fine")+received+`
WebSocket API [testapi123] received message from client [CONNECTION]. Message: [{"action":"fine","text":"äää…
Endpoint request URI: `+lambda+`
Endpoint request headers: {User-Agent=AmazonAPIGateway_testapi123, X-Amzn-Apigateway-Api-Id=testapi123, X-Amzn-Lambda-Integration-Tag=REQUEST, X-Amz-Source-Arn=arn:aws:execute-api:us-east-1:123456789012:testapi123/dev/fine, …
Endpoint request body after transformations: {"requestContext":{"routeKey":"fine",…
Sending request to `+lambda+`
Received response. Status: 200, Integration latency: 1 ms
Endpoint response headers: {X-Amzn-Requestid=…
Endpoint response body before transformations: {"statusCode":200,"body":"{\"password\":\"***\"}"}
AWS Integration Endpoint RequestId : …`+sent(200))
	})
}

// ERROR has what failed, and nothing else; OFF nothing. A route's setting goes before
// the stage's default, whatever it says.
func TestExecutionLogLevels(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("fine", Returns(ok))
	g.Functions.Set("broken", func(context.Context, Event) (string, error) { return "", errors.New("it broke") })
	stage := withLevel("ERROR", true)
	stage.RouteSettings = map[string]*apigw.RouteSettings{
		"off": {LoggingLevel: "OFF"}, "info": {LoggingLevel: "INFO", DataTraceEnabled: new(false)},
	}
	g.Deploy(API("testapi123", Route{Key: "fine", Function: "fine"}, Route{Key: "broken", Function: "broken"},
		Route{Key: "off", Function: "broken"}, Route{Key: "info", Function: "fine"}, Route{Key: "gone", Function: "gone"}), stage)
	c := g.Dial("/dev")
	for n, action := range []string{"fine", "off", "broken"} {
		c.Send(`{"action":"` + action + `"}`)
		g.Records.Wait(t, telemetry.EventMessage, n+1)
	}
	wantLines(t, g, telemetry.EventMessage, 3, `Lambda execution failed with status 200 due to customer function error: it broke. Lambda request id: …`)
	c.Send(`{"action":"gone"}`)
	wantLines(t, g, telemetry.EventMessage, 4, `Execution failed due to configuration error: function arn:aws:lambda:us-east-1:123456789012:function:gone does not exist`)
	c.Send(`{"action":"nothing"}`)
	wantLines(t, g, telemetry.EventMessage, 5, `no route matches and the API has no $default`)
	c.Send(`{"action":"info"}`)
	wantLines(t, g, telemetry.EventMessage, 6, begin("info")+received+"\nAWS Integration Endpoint RequestId : …"+sent(200))
	_ = c.CloseNow()
	g.Records.Wait(t, telemetry.EventDisconnect, 1)
	g.Dial("/dev").Send(`{"action":"nothing"}`)
	wantLines(t, g, telemetry.EventMessage, 7, `no route matches and the API has no $default`)
}

// The lines of a route whose clients need an API key show the end of it.
func TestExecutionLogOfAPIKeys(t *testing.T) {
	t.Parallel()
	g := withKeys(t)
	api := API("testapi123", Route{Key: "$connect", Function: "c"})
	api.Routes[0].ApiKeyRequired = true
	g.Deploy(api, withLevel("INFO", false))
	const verifying = "Extended Request Id: REQUEST\nVerifying Usage Plan for request: REQUEST. API Key: *******************efghij API Stage: testapi123/dev\n"
	g.Dial("/dev", Header("X-Api-Key", apiKey("free")), Header("User-Agent", "tester"))
	wantLines(t, g, telemetry.EventConnect, 1, strings.TrimRight(verifying, "\n")+`
API Key *******************efghij authorized because route '$connect' requires API Key
Usage Plan check succeeded for API Key *******************efghij and API Stage testapi123/dev
Starting execution for request: REQUEST
WebSocket Request Route: [$connect]
Client [UserAgent: tester, SourceIp: 127.0.0.1] is connecting to WebSocket API [testapi123].
AWS Integration Endpoint RequestId : …
Client [Connection Id: CONNECTION] connected to API [testapi123] successfully.`)
	for n, id := range []string{"evil", ""} {
		options := []dialOption{Header("User-Agent", "tester")}
		lines := strings.Replace(verifying, "*******************efghij", "", 1)
		if id != "" {
			options, lines = append(options, Header("X-Api-Key", apiKey(id))), verifying
		}
		if _, response, _ := g.TryDial("/dev", options...); response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("with the key %q: %v", id, response)
		}
		wantLines(t, g, telemetry.EventConnect, n+2, lines+"…")
	}
}
