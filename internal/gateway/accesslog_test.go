package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// allVariables is a format of JSON with each variable of section K.1, and with some that
// WebSocket APIs do not have.
func allVariables() string {
	var b strings.Builder
	separator := byte('{')
	for name := range event.Variables() {
		fmt.Fprintf(&b, `%c"%s":"$context.%[2]s"`, separator, name)
		separator = ','
	}
	for _, name := range []string{"authorizer.level", "responseLatency", "responseLength", "httpMethod", "resourcePath"} {
		fmt.Fprintf(&b, `,"%s":"$context.%[1]s"`, name)
	}
	return b.String() + "}"
}

const logGroup = "arn:aws:logs:us-east-1:123456789012:log-group:chat"

func logged(settings ...func(*apigw.Stage)) *apigw.Stage {
	s := &apigw.Stage{StageName: "dev", AccessLogSettings: &apigw.AccessLogSettings{DestinationArn: logGroup, Format: allVariables()}}
	for _, set := range settings {
		set(s)
	}
	return s
}

// values are the variables of a line.
type values map[string]string

// line is the n-th line of the access log. What every line must have is checked, and
// taken out with what is missing.
func line(t *testing.T, g *Gateway, n int) values {
	t.Helper()
	text := g.AccessLog.Wait(t, n)
	var v values
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for name, form := range map[string]string{
		"apiId": "^testapi123$", "stage": "^dev$", "domainName": `^testapi123\.execute-api\.us-east-1\.amazonaws\.com$`, "identity.sourceIp": `^127\.0\.0\.1$`,
		"requestTime": `^\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000$`, "requestTimeEpoch": `^\d{13}$`, "extendedRequestId": `^[A-Za-z0-9_-]{15}=$`,
		"messageDirection": "^IN$", "identity.userAgent": `^(Go-http-client/1\.1|tester)$`,
	} {
		if !regexp.MustCompile(form).MatchString(v[name]) {
			t.Errorf("line %d: %s is %q", n, name, v[name])
		}
		delete(v, name)
	}
	for name, value := range v {
		if value == "-" {
			delete(v, name)
		}
	}
	return v
}

// wants compares a line with what it must have. A value of "*" stands for any.
func (v values) wants(t *testing.T, name string, want values) {
	t.Helper()
	for key, value := range want {
		if value == "*" && v[key] != "" {
			v[key] = "*"
		}
	}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// with is a line with more values, or others.
func (v values) with(pairs ...string) values {
	all := values{}
	for name, value := range v {
		all[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// The rows of section K.1 for the events of connections, whoever reads the sockets.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		g.Functions.Set("c", func(_ context.Context, e Event) (string, error) {
			if strings.Contains(e.Raw, `"refuse"`) {
				return `{"statusCode":403}`, nil
			}
			return ok, nil
		})
		g.Functions.Set("fine", Returns(ok))
		g.Functions.Set("busy", Returns(`{"statusCode":503}`))
		g.Functions.Set("broken", func(context.Context, Event) (string, error) { return "", errors.New("broken") })
		g.Functions.Set("gate", Returns(grant("Allow", `{"level":7}`, "")))
		api := authorized(Route{Key: "fine", Function: "fine"}, Route{Key: "busy", Function: "busy"}, Route{Key: "broken", Function: "broken"},
			Route{Key: "strict", Function: "fine"}, Route{Key: "often", Function: "fine"}, Route{Key: "none"}, Route{Key: "$disconnect", Function: "fine"})
		api.Models = []*apigw.Model{{Name: "Text", Schema: `{"required":["text"]}`}}
		for _, r := range api.Routes {
			if r.RouteKey == "strict" {
				r.ModelSelectionExpression, r.RequestModels = "$default", map[string]string{"$default": "Text"}
			}
		}
		g.Deploy(api, logged(func(s *apigw.Stage) {
			s.RouteSettings = map[string]*apigw.RouteSettings{"often": {ThrottlingRateLimit: 0.0001, ThrottlingBurstLimit: 1}}
		}))
		connect := values{
			"eventType": "CONNECT", "routeKey": "$connect", "requestId": "*", "connectionId": "*", "connectedAt": "*", "integrationLatency": "*", "status": "200",
			"authorizer.principalId": "ada", "authorizer.level": "7", "authorizer.latency": "*", "authorizer.integrationLatency": "*",
			"authorizer.status": "200", "authorizer.integrationStatus": "200",
		}
		if _, response, _ := g.TryDial("/dev"); response == nil || response.StatusCode != 401 {
			t.Fatalf("without a token: %v", response)
		}
		line(t, g, 1).wants(t, "without a token", values{
			"eventType": "CONNECT", "routeKey": "$connect", "requestId": "*", "connectionId": "*", "connectedAt": "*", "status": "401",
			"error.message": "Unauthorized", "error.messageString": `"Unauthorized"`, "error.responseType": "UNAUTHORIZED",
		})
		if _, response, _ := g.TryDial("/dev?token=x&how=refuse"); response == nil || response.StatusCode != 403 {
			t.Fatalf("refused: %v", response)
		}
		line(t, g, 2).wants(t, "CONNECT refused by Lambda", connect.with("status", "403"))
		c := g.Dial("/dev?token=x")
		accepted := line(t, g, 3)
		id := accepted["connectionId"]
		accepted.wants(t, "CONNECT ok", connect)

		message := values{
			"eventType": "MESSAGE", "requestId": "*", "connectionId": id, "connectedAt": "*", "messageId": "*",
			"authorizer.principalId": "ada", "authorizer.level": "7",
		}
		failed := func(key, status, text, kind string, more ...string) values {
			return message.with("status", status, "error.message", text, "error.messageString", `"`+text+`"`, "error.responseType", kind).with(more...).with("routeKey", key)
		}
		n := 3
		for _, test := range []struct {
			action string
			want   values
		}{
			{"fine", message.with("routeKey", "fine", "status", "200", "integrationLatency", "*")},
			{"busy", message.with("routeKey", "busy", "status", "503", "integrationLatency", "*")},
			{"broken", failed("broken", "502", "Internal server error", "INTEGRATION_FAILURE", "integrationLatency", "*")},
			{"strict", failed("strict", "400", "Invalid request body", "BAD_REQUEST_BODY", "error.validationErrorString", "*")},
			{"none", failed("none", "500", "Internal server error", "API_CONFIGURATION_ERROR")},
			{"often", message.with("routeKey", "often", "status", "200", "integrationLatency", "*")},
			{"often", failed("often", "429", "Too Many Requests", "THROTTLED")},
		} {
			c.Send(`{"action":"` + test.action + `"}`)
			n++
			line(t, g, n).wants(t, test.action, test.want)
		}
		c.Send(`{"action":"nothing"}`)
		without := failed("", "403", "Forbidden", "DEFAULT_4XX")
		delete(without, "routeKey")
		line(t, g, n+1).wants(t, "no route", without)
		c.CloseNow()
		line(t, g, n+2).wants(t, "DISCONNECT", values{
			"eventType": "DISCONNECT", "routeKey": "$disconnect", "requestId": "*", "connectionId": id, "connectedAt": "*", "status": "200",
			"disconnectStatusCode": "1006", "disconnectReason": "Connection closed abnormally", "integrationLatency": "*",
			"authorizer.principalId": "ada", "authorizer.level": "7",
		})
	})
}

// A handshake and an end without a route are logged as AWS calls them, and no place says
// more than the stage's settings.
func TestAccessLogWithoutRoutes(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Deploy(API("testapi123"), logged())
	c := g.Dial("/dev")
	line(t, g, 1).wants(t, "CONNECT", values{"eventType": "CONNECT", "routeKey": "$connect", "requestId": "*", "connectionId": "*", "connectedAt": "*", "status": "200"})
	c.CloseNow()
	line(t, g, 2).wants(t, "DISCONNECT", values{
		"eventType": "DISCONNECT", "routeKey": "$disconnect", "requestId": "*", "connectionId": "*", "connectedAt": "*", "status": "200",
		"disconnectStatusCode": "1006", "disconnectReason": "Connection closed abnormally",
	})
	g.Deploy(API("testapi123"), &apigw.Stage{StageName: "dev"})
	g.Dial("/dev")
	g.Records.Wait(t, "connect", 2)
	g.AccessLog.Wait(t, 2)
}

// The row of section K.1 for calls of @connections: each has a line, refused ones too.
func TestAccessLogOfManagement(t *testing.T) {
	t.Parallel()
	directory := identity.New(identity.Options{Region: "us-east-1", Account: account})
	if err := directory.Replace(identity.Configuration, []identity.Credential{accessKey("ADMIN", allowing("*", "*")), accessKey("NONE")}); err != nil {
		t.Fatal(err)
	}
	g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{Identities: directory})
	g.Deploy(API("testapi123"), logged())
	c := g.Dial("/dev")
	id := line(t, g, 1)["connectionId"]
	path := "/dev/@connections/" + strings.ReplaceAll(id, "=", "%3D")
	call := values{"eventType": "CONNECTION_API", "integrationLatency": "0", "connectionId": id}
	known := func(name string) values {
		return call.with("identity.accountId", account, "identity.caller", "*", "identity.user", "*",
			"identity.userArn", "arn:aws:iam::"+account+":user/"+strings.ToLower(name), "identity.accessKey", name)
	}
	const suffix = " /@connections/{connectionId}"
	n := 1
	for _, test := range []struct {
		name, method, path, body string
		signer                   signer
		status                   int
		want                     values
	}{
		{"POST", "POST", path, "hello", signer{key: "ADMIN"}, 200, known("ADMIN")},
		{"GET", "GET", path, "", signer{key: "ADMIN"}, 200, known("ADMIN")},
		{"too large", "POST", path, strings.Repeat("x", 128<<10+1), signer{key: "ADMIN"}, 413, call},
		{"not signed", "POST", path, "hello", signer{}, 403, call},
		{"signed wrong", "POST", path, "hello", signer{key: "ADMIN", secret: "not the secret of the user"}, 403, call},
		{"not allowed", "DELETE", path, "", signer{key: "NONE"}, 403, known("NONE")},
		{"no id", "POST", "/dev/@connections/%22non%0Asense", "hello", signer{}, 400, call.with("connectionId", "\"non\nsense")},
		{"no method", "PUT", path, "hello", signer{key: "ADMIN"}, 403, call},
		{"DELETE", "DELETE", path, "", signer{key: "ADMIN"}, 204, known("ADMIN")},
	} {
		response, body := send(t, g, test.method, test.path, test.body, test.signer)
		if response.StatusCode != test.status {
			t.Errorf("%s: %d %s", test.name, response.StatusCode, body)
		}
		if n++; test.method == "DELETE" && test.status == 204 {
			break // the connection's end has a line as well, before or behind
		}
		got := line(t, g, n)
		if uuid := got["requestId"]; !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(uuid) || test.status != 413 && uuid != response.Header.Get("X-Amzn-Requestid") {
			t.Errorf("%s: the id of the request is %q, with %v", test.name, uuid, response.Header)
		}
		want := test.want.with("requestId", "*", "status", fmt.Sprint(test.status), "routeKey", test.method+suffix)
		if test.method == "PUT" {
			delete(want, "routeKey")
		}
		got.wants(t, test.name, want)
	}
	c.WaitClosed()
	g.AccessLog.Wait(t, n+1)
	if response, _ := send(t, g, "POST", path, "hello", signer{key: "ADMIN"}); response.StatusCode != 410 {
		t.Errorf("gone: %d", response.StatusCode)
	}
	line(t, g, n+2).wants(t, "gone", known("ADMIN").with("requestId", "*", "status", "410", "routeKey", "POST"+suffix))
}

// A message of a light route stays on the event loop with an access log.
func TestAccessLogOfLightRoutes(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	backend := NewBackend(t, func(http.ResponseWriter, *http.Request) {})
	compiler := plan.Compiler{Backends: g.Backends, Region: "us-east-1", AccessLogs: func(string) logsink.Sink { return g.AccessLog }}
	stage := logged()
	stage.ApiId = "testapi123"
	p, _, err := compiler.Compile(&apigw.Deployment{API: API("testapi123", Route{Key: "$default", Integration: httpProxy(backend.URL)})}, stage)
	if err != nil || p.Default.Light == nil {
		t.Fatalf("%v, %v", p, err)
	}
	g.Gateway.Deploy(p)
	g.Dial("/dev").Send("x")
	got := line(t, g, 2)
	if got["status"] != "200" || got["routeKey"] != "$default" {
		t.Errorf("%v", got)
	}
}
