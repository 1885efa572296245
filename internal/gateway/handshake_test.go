package gateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// What $connect's integration does decides the handshake: specification,
// section A.4, row by row.
func TestConnectOutcomes(t *testing.T) {
	t.Parallel()
	failing := func(context.Context, Event) (string, error) { return "", errors.New("boom") }
	slow := func(ctx context.Context, _ Event) (string, error) { <-ctx.Done(); return "", nil }
	lambda := func(result string) []Route { return []Route{{Key: "$connect", Function: result}} }
	const internal, timedOut = "Internal server error", "Endpoint request timed out"
	tests := []struct {
		name     string
		routes   []Route
		function Function
		status   int
		message  string // of the gateway's own answer; "" when the backend's is passed on
		body     string
	}{
		{"no $connect route", []Route{{Key: "$default"}}, nil, 101, "", ""},
		{"$connect without target", []Route{{Key: "$connect"}}, nil, 101, "", ""},
		{"mock 200", []Route{{Key: "$connect", Integration: Mock(`{"statusCode": 200}`)}}, nil, 101, "", ""},
		{"Lambda 200", lambda("f"), Returns(ok), 101, "", ""},
		{"Lambda 201 with a body", lambda("f"), Returns(`{"statusCode":201,"body":"dropped"}`), 101, "", ""},
		{"Lambda 301", lambda("f"), Returns(`{"statusCode":301,"headers":{"Location":"/else"}}`), 301, "", ""},
		{"Lambda 400", lambda("f"), Returns(`{"statusCode":400,"body":"bad"}`), 400, "", "bad"},
		{"Lambda 401", lambda("f"), Returns(`{"statusCode":401,"body":"who?"}`), 401, "", "who?"},
		{"Lambda 403", lambda("f"), Returns(`{"statusCode":403,"body":"{\"no\":1}"}`), 403, "", `{"no":1}`},
		{"Lambda 501", lambda("f"), Returns(`{"statusCode":501,"body":"later"}`), 501, "", "later"},
		{"statusCode as a string", lambda("f"), Returns(`{"statusCode":"200"}`), 101, "", ""},
		{"Lambda raises", lambda("f"), failing, 502, internal, ""},
		{"null result", lambda("f"), Returns(`null`), 502, internal, ""},
		{"string result", lambda("f"), Returns(`"fine"`), 502, internal, ""},
		{"unknown member", lambda("f"), Returns(`{"statusCode":200,"more":1}`), 502, internal, ""},
		{"non-numeric statusCode", lambda("f"), Returns(`{"statusCode":"fine"}`), 502, internal, ""},
		{"body that is no string", lambda("f"), Returns(`{"statusCode":200,"body":{}}`), 502, internal, ""},
		{"integration timeout", []Route{{Key: "$connect", Integration: &apigw.Integration{
			IntegrationType: "AWS_PROXY", TimeoutInMillis: 50,
			IntegrationUri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + FunctionARN("f") + "/invocations",
		}}}, slow, 504, timedOut, ""},
		{"missing function", lambda("g"), nil, 500, internal, ""},
		{"bad ARN", []Route{{Key: "$connect", Integration: &apigw.Integration{IntegrationType: "AWS_PROXY", IntegrationUri: "arn:nonsense"}}}, nil, 500, internal, ""},
		{"mock without statusCode", []Route{{Key: "$connect", Integration: Mock(`{}`)}}, nil, 500, internal, ""},
		{"mock with a statusCode that is no integer", []Route{{Key: "$connect", Integration: Mock(`{"statusCode":"x"}`)}}, nil, 500, internal, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			if test.function != nil {
				g.Functions.Set("f", test.function)
			}
			g.DeployRoutes(test.routes...)
			_, response, err := g.TryDial("/dev")
			if response == nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d", response.StatusCode, test.status)
			}
			if test.status == 101 {
				return
			}
			body, _ := io.ReadAll(response.Body)
			checkRefusal(t, response, string(body), test.message, test.body)
		})
	}
}

var ownRefusal = regexp.MustCompile(`^\{"message": "([^"]*)", "connectionId":"[A-Za-z0-9_-]{18}==", "requestId":"([A-Za-z0-9_-]{15}=)"\}$`)

// checkRefusal: specification, sections A.4 (native sample), A.5 and M.2.
func checkRefusal(t *testing.T, response *http.Response, body, message, want string) {
	t.Helper()
	id := response.Header.Get("x-amz-apigw-id")
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`).MatchString(id) {
		t.Errorf("x-amz-apigw-id is %q", id)
	}
	for _, name := range []string{"x-amzn-RequestId", "x-amzn-ErrorType"} {
		if value := response.Header.Get(name); value != "" {
			t.Errorf("%s is there: %q", name, value)
		}
	}
	if got := response.Header.Get("Content-Type"); got != "application/json; charset=UTF-8" {
		t.Errorf("Content-Type %q", got)
	}
	if message == "" {
		if body != want {
			t.Errorf("body %q, want the function's %q", body, want)
		}
		return
	}
	match := ownRefusal.FindStringSubmatch(body)
	if match == nil || match[1] != message || match[2] != id {
		t.Errorf("body %q, want message %q and request id %q", body, message, id)
	}
}

// A refusal passes the function's headers on: section A.4.
func TestRefusalHeaders(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":403,"headers":{"Content-Type":"text/plain","x-reason":"no","Connection":"upgrade","Content-Length":"1"},`+
		`"multiValueHeaders":{"x-many":["a","b"]},"body":"not today"}`))
	g.DeployRoutes(Route{Key: "$connect", Function: "f"})
	_, response, err := g.TryDial("/dev")
	if response == nil || err == nil {
		t.Fatalf("not refused: %v", err)
	}
	body, _ := io.ReadAll(response.Body)
	if string(body) != "not today" || response.Header.Get("x-reason") != "no" || response.Header.Get("Content-Type") != "text/plain; charset=UTF-8" {
		t.Errorf("body %q, header %v", body, response.Header)
	}
	if got := strings.Join(response.Header.Values("x-many"), ","); got != "a,b" {
		t.Errorf("x-many: %s", got)
	}
}

// The 101 has four headers, and the function's subprotocol; compression is
// declined: sections A.3, G.6, M.14 and M.17.
func TestSwitchingProtocols(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"two","x-other":"dropped"}}`))
	g.DeployRoutes(Route{Key: "$connect", Function: "f"})
	offer := func(o *coder.DialOptions) {
		o.Subprotocols = []string{"one", "two"}
		o.CompressionMode = coder.CompressionContextTakeover
	}
	c := g.Dial("/dev", offer)
	var names []string
	for name := range c.Response.Header {
		names = append(names, name)
	}
	if len(names) != 5 || c.Response.Header.Get("Sec-WebSocket-Protocol") != "two" || c.Response.Header.Get("Date") == "" {
		t.Errorf("header of the 101: %v", c.Response.Header)
	}
	if got := g.Functions.Events("f")[0].Headers["Sec-Websocket-Protocol"]; got != "one,two" {
		t.Errorf("the function saw the offer %q", got)
	}
	// A function that chooses none: no header.
	g.Functions.Set("f", Returns(ok))
	if c = g.Dial("/dev", offer); c.Response.Header.Get("Sec-WebSocket-Protocol") != "" {
		t.Errorf("a subprotocol that nobody chose: %v", c.Response.Header)
	}
}

// The upgrade waits for $connect, and until then the connection is not there:
// section A.6.
func TestPendingConnection(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	during := make(chan int, 2)
	g.Functions.Set("f", func(_ context.Context, e Event) (string, error) {
		for _, method := range []string{"POST", "GET"} {
			response, _ := g.Do(method, g.ConnectionURL(e.RequestContext.ConnectionID), nil)
			during <- response.StatusCode
		}
		return ok, nil
	})
	g.DeployRoutes(Route{Key: "$connect", Function: "f"})
	g.Dial("/dev")
	if post, get := <-during, <-during; post != 410 || get != 410 {
		t.Errorf("POST %d and GET %d while $connect runs, want 410", post, get)
	}
	id := g.Functions.Events("f")[0].RequestContext.ConnectionID
	if response, _ := g.Do("POST", g.ConnectionURL(id), nil); response.StatusCode != 200 {
		t.Errorf("POST %d once the connection is open", response.StatusCode)
	}
}

// A refused connection has no $disconnect: section A.6.
func TestRefusedWithoutDisconnect(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("c", Returns(`{"statusCode":401}`))
	g.Functions.Set("d", Returns(ok))
	g.DeployRoutes(Route{Key: "$connect", Function: "c"}, Route{Key: "$disconnect", Function: "d"})
	if _, _, err := g.TryDial("/dev"); err == nil {
		t.Fatal("not refused")
	}
	g.Records.Wait(t, "connect", 1)
	if n := len(g.Functions.Events("d")); n != 0 || g.Connections() != 0 {
		t.Errorf("%d events of $disconnect, %d connections", n, g.Connections())
	}
}

// A client that is gone when $connect has agreed gets its $disconnect.
func TestGoneBefore101(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	running, proceed := make(chan struct{}), make(chan struct{})
	g.Functions.Set("c", func(context.Context, Event) (string, error) {
		close(running)
		<-proceed
		return ok, nil
	})
	g.Functions.Set("d", Returns(ok))
	g.DeployRoutes(Route{Key: "$connect", Function: "c"}, Route{Key: "$disconnect", Function: "d"})
	ctx, cancel := context.WithTimeout(context.Background(), Timeout)
	defer cancel()
	request, _ := http.NewRequestWithContext(ctx, "GET", g.URL("/dev"), nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		request.Header.Set(name, value)
	}
	go func() {
		<-running
		cancel()
	}()
	if _, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request); err == nil {
		t.Fatal("the request was answered")
	}
	close(proceed)
	if r := g.Records.Wait(t, "disconnect", 1); r.Status != 1006 {
		t.Errorf("close code %d, want 1006", r.Status)
	}
	if n := len(g.Functions.Events("d")); n != 1 {
		t.Errorf("%d events of $disconnect", n)
	}
}

// A backend's 1xx would leave the client waiting.
func TestInformationalStatus(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":103}`))
	g.DeployRoutes(Route{Key: "$connect", Function: "f"})
	start := time.Now()
	_, response, err := g.TryDial("/dev")
	if err == nil || response == nil || response.StatusCode != 500 {
		t.Errorf("after %v: %v %v", time.Since(start), response, err)
	}
}

// A gateway that was told of no identities, keys or authorizers lets nobody in
// where they are needed.
func TestGuardedRoute(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		guard  func(*apigw.API)
		status int
	}{
		"authorizer": {func(a *apigw.API) { a.Routes[0].AuthorizationType, a.Routes[0].AuthorizerId = "CUSTOM", "abcdef" }, 500},
		"IAM":        {func(a *apigw.API) { a.Routes[0].AuthorizationType = "AWS_IAM" }, 403},
		"API key":    {func(a *apigw.API) { a.Routes[0].ApiKeyRequired = true }, 403},
		"origins":    {func(a *apigw.API) { a.Tags = map[string]string{"stagedoor:allowed-origins": "app.example.com"} }, 403},
		"JWT":        {func(a *apigw.API) { a.Tags = map[string]string{"stagedoor:jwt": "issuer=nobody"} }, 500},
		"another":    {func(a *apigw.API) { a.Routes[0].AuthorizationType = "MAGIC" }, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := NewGuarded(t, websocket.DriverAuto, gateway.Guards{})
			g.Functions.Set("f", Returns(ok))
			api := API("testapi123", Route{Key: "$connect", Function: "f"})
			test.guard(api)
			g.Deploy(api, &apigw.Stage{StageName: "dev"})
			if _, response, err := g.TryDial("/dev"); err == nil || response == nil || response.StatusCode != test.status {
				t.Errorf("%v %v, want %d", response, err, test.status)
			}
			if n := len(g.Functions.Events("f")); n != 0 {
				t.Errorf("$connect ran %d times", n)
			}
		})
	}
}

// What the handshake lacks is named: headers, then the query. Nothing of what
// the client sent is. Section A.5.
func TestRequiredParameters(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(ok))
	api := API("testapi123", Route{Key: "$connect", Function: "f"})
	api.Routes[0].RequestParameters = map[string]apigw.ParameterConstraints{
		"route.request.querystring.token": {Required: true}, "route.request.querystring.room": {Required: true},
		"route.request.querystring.colour": {}, "route.request.header.X-Tenant": {Required: true},
	}
	g.Deploy(api, &apigw.Stage{StageName: "dev"})
	for _, test := range []struct {
		path    string
		header  string
		message string
	}{
		{"/dev?other=x", "", "Missing required request parameters: [X-Tenant, room, token]"},
		{"/dev?token=&room=%20", "a", "Missing required request parameters: [room, token]"},
		{"/dev?token=t&room=r", "a", ""},
	} {
		_, response, err := g.TryDial(test.path, Header("x-tenant", test.header))
		if response == nil {
			t.Fatal(err)
		}
		if test.message == "" {
			if response.StatusCode != 101 {
				t.Errorf("%s: %d", test.path, response.StatusCode)
			}
			continue
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 400 {
			t.Errorf("%s: status %d", test.path, response.StatusCode)
		}
		checkRefusal(t, response, string(body), test.message, "")
	}
	if n := len(g.Functions.Events("f")); n != 1 {
		t.Errorf("$connect ran %d times, want once", n)
	}
	if got := g.Records.Wait(t, "connect", 1); got.Status != 400 || got.Error != "Missing required request parameters: X-Tenant, room, token" {
		t.Errorf("record %+v", got)
	}
}
