package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Which route a message takes: specification, section C.2.
func TestRouting(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		name := func(_ context.Context, e Event) (string, error) {
			return fmt.Sprintf(`{"statusCode":200,"body":"%s"}`, e.RequestContext.RouteKey), nil
		}
		g.Functions.Set("name", name)
		g.DeployRoutes(
			Route{Key: "$connect"}, Route{Key: "$disconnect"},
			Route{Key: "join", Function: "name", TwoWay: true},
			Route{Key: "chat/send", Function: "name", TwoWay: true},
			Route{Key: "1", Function: "name", TwoWay: true},
			Route{Key: "$default", Function: "name", TwoWay: true},
		)
		c := g.Dial("/dev")
		for _, test := range []struct{ message, route string }{
			{`{"action":"join"}`, "join"},
			{` {"x":{"action":"no"},"action":"join"} `, "join"},
			{`{"action":"chat/send"}`, "chat/send"},
			{`{"action":1}`, "1"},
			{`{"action":"JOIN"}`, "$default"},
			{`{"action":"unknown"}`, "$default"},
			{`{}`, "$default"},
			{`["join"]`, "$default"},
			{`"join"`, "$default"},
			{`join`, "$default"},
			{``, "$default"},
			{`{"action":"join"`, "$default"},
			{`{action:"join"}`, "$default"},
			{`{"action":"$connect"}`, "$default"},
			{`{"action":"$disconnect"}`, "$default"},
			{`{"action":null}`, "$default"},
		} {
			c.Send(test.message)
			if got := c.Receive(); got != test.route {
				t.Errorf("%s went to %s, want %s", test.message, got, test.route)
			}
		}
	})
}

var errorFrame = regexp.MustCompile(`^\{"message": "([^"]*)", "connectionId":"([A-Za-z0-9_-]{18}==)", "requestId":"([A-Za-z0-9_-]{15}=)"\}$`)

func checkFrame(t *testing.T, frame, message string) {
	t.Helper()
	match := errorFrame.FindStringSubmatch(frame)
	if match == nil || match[1] != message {
		t.Errorf("frame %q, want message %q", frame, message)
	}
}

// Failures send a frame, on one-way and two-way routes, and the connection
// stays: specification, sections C.4 and C.5.
func TestErrorFrames(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client gives up
			<-r.Context().Done()
		}
	}))
	t.Cleanup(backend.Close)
	dead := httptest.NewServer(nil)
	dead.Close()
	proxy := func(url string) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationMethod: "POST", IntegrationUri: url, TimeoutInMillis: 100}
	}
	const internal = "Internal server error"
	tests := []struct {
		name    string
		route   Route
		result  string
		err     error
		message string
	}{
		{"no route", Route{Key: "other"}, ok, nil, "Forbidden"},
		{"function fails", Route{Key: "x", Function: "f"}, "", errors.New("boom"), internal},
		{"malformed result", Route{Key: "x", Function: "f"}, `{"statusCode":"invalid","body":{"a":1}}`, nil, internal},
		{"null result", Route{Key: "x", Function: "f"}, `null`, nil, internal},
		{"missing function", Route{Key: "x", Function: "gone"}, ok, nil, internal},
		{"mock without statusCode", Route{Key: "x", Integration: Mock(`{}`)}, "", nil, internal},
		{"unreachable backend", Route{Key: "x", Integration: proxy(dead.URL)}, "", nil, internal},
		{"timeout", Route{Key: "x", Integration: proxy(backend.URL + "/slow")}, "", nil, "Endpoint request timed out"},
		{"no integration", Route{Key: "x"}, "", nil, internal},
		{"answer over 128 KB", Route{Key: "x", Function: "f", TwoWay: true}, `{"statusCode":200,"body":"` + strings.Repeat("x", 131073) + `"}`, nil, internal},
	}
	for _, test := range tests {
		for _, twoWay := range []bool{false, true} {
			if test.route.TwoWay && !twoWay {
				continue
			}
			t.Run(fmt.Sprintf("%s, two-way %v", test.name, twoWay), func(t *testing.T) {
				t.Parallel()
				g := New(t, websocket.DriverAuto)
				g.Functions.Set("f", func(context.Context, Event) (string, error) { return test.result, test.err })
				g.Functions.Set("echo", Echo)
				route := test.route
				route.TwoWay = twoWay
				g.DeployRoutes(route, Route{Key: "echo", Function: "echo", TwoWay: true})
				c := g.Dial("/dev")
				c.Send(`{"action":"x"}`)
				frame := c.Receive()
				checkFrame(t, frame, test.message)
				if r := g.Records.Wait(t, "message", 1); r.Error == "" || !strings.Contains(frame, r.RequestID) || !strings.Contains(frame, r.ConnectionID) {
					t.Errorf("record %+v does not tell of %s", r, frame)
				}
				c.Send(`{"action":"echo"}`)
				if got := c.Receive(); got != `{"action":"echo"}` {
					t.Errorf("afterwards: %q", got)
				}
			})
		}
	}
}

// What a two-way route sends: specification, sections C.5 and M.11.
func TestTwoWay(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	var result atomic.Value
	g.Functions.Set("f", func(context.Context, Event) (string, error) { return result.Load().(string), nil })
	g.DeployRoutes(Route{Key: "two", Function: "f", TwoWay: true}, Route{Key: "one", Function: "f"})
	c := g.Dial("/dev")
	for i, test := range []struct{ result, want string }{
		{`{"statusCode":200,"body":"hello"}`, "hello"},
		{`{"statusCode":503,"body":"down, but said"}`, "down, but said"},
		{`{"statusCode":200,"headers":{"x":"ignored"},"body":"plain"}`, "plain"},
		{`{"statusCode":200}`, ""},
		{`{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, "hi"},
		{`{"statusCode":200,"body":"/w==","isBase64Encoded":true}`, "\uFFFD"},
		{`{"statusCode":200,"body":"` + strings.Repeat("x", 131072) + `"}`, strings.Repeat("x", 131072)},
	} {
		result.Store(test.result)
		c.Send(`{"action":"one"}`) // sends nothing
		g.Records.Wait(t, "message", 2*i+1)
		c.Send(`{"action":"two"}`)
		if got := c.Receive(); got != test.want {
			t.Errorf("%.80s: %.80q", test.result, got)
		}
		g.Records.Wait(t, "message", 2*i+2)
	}
}

// $connect and $disconnect send nothing, two-way or not: section C.5.
func TestTwoWayConnect(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":200,"body":"never seen"}`))
	g.Functions.Set("echo", Echo)
	g.DeployRoutes(Route{Key: "$connect", Function: "f", TwoWay: true}, Route{Key: "$default", Function: "echo", TwoWay: true})
	c := g.Dial("/dev")
	c.Send("first")
	if got := c.Receive(); got != "first" {
		t.Errorf("%q", got)
	}
}

// HTTP_PROXY: specification, section B.6.
func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	type call struct {
		method, path, body string
		header             http.Header
	}
	calls := make(chan call, 3)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		calls <- call{r.Method, r.URL.RequestURI(), string(body), r.Header}
		if strings.Contains(string(body), "teapot") {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = fmt.Fprintf(w, "got %s", body)
	}))
	t.Cleanup(backend.Close)
	g := New(t, websocket.DriverAuto)
	to := &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationMethod: "PUT", IntegrationUri: backend.URL + "/hook?a=1"}
	g.DeployRoutes(Route{Key: "$connect", Integration: to}, Route{Key: "$default", Integration: to, TwoWay: true}, Route{Key: "$disconnect", Integration: to})
	c := g.Dial("/dev?token=t+1", Header("X-Custom", "yes"))
	connect := <-calls
	if connect.method != "PUT" || connect.path != "/hook?a=1&token=t+1" || connect.header.Get("X-Custom") != "yes" ||
		connect.header.Get("Sec-Websocket-Key") == "" || connect.header.Get("User-Agent") != "AmazonAPIGateway_testapi123" {
		t.Errorf("$connect: %+v", connect)
	}
	for _, message := range []string{"hello", "I am a teapot"} { // the status does not matter
		c.Send(message)
		if got := c.Receive(); got != "got "+message {
			t.Errorf("%q", got)
		}
		got := <-calls
		if got.method != "PUT" || got.path != "/hook?a=1" || got.body != message || got.header.Get("X-Amzn-Apigateway-Api-Id") != "testapi123" ||
			got.header.Get("Content-Type") != "application/json" || !strings.HasPrefix(got.header.Get("X-Amzn-Trace-Id"), "Root=1-") || got.header.Get("X-Custom") != "" {
			t.Errorf("message: %+v", got)
		}
	}
	_ = c.CloseNow()
	if got := <-calls; got.method != "PUT" || got.body != "" {
		t.Errorf("$disconnect: %+v", got)
	}
}

// An HTTP backend decides the handshake too; redirects are passed on, not
// followed: section A.4.
func TestHTTPProxyConnect(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login", http.StatusFound)
	}))
	t.Cleanup(backend.Close)
	g := New(t, websocket.DriverAuto)
	g.DeployRoutes(Route{Key: "$connect", Integration: &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationMethod: "GET", IntegrationUri: backend.URL}})
	_, response, err := g.TryDial("/dev")
	if err == nil || response.StatusCode != 302 || response.Header.Get("Location") != "/login" {
		t.Errorf("%v %v", response, err)
	}
}

// Messages of one connection overlap, so that a slow one holds up no other:
// specification, section C.7.
func TestConcurrentMessages(t *testing.T) {
	t.Parallel()
	EachDriver(t, func(t *testing.T, driver websocket.Driver) {
		g := New(t, driver)
		release := make(chan struct{})
		g.Functions.Set("wait", func(context.Context, Event) (string, error) {
			<-release
			return `{"statusCode":200,"body":"slow"}`, nil
		})
		g.Functions.Set("echo", Echo)
		g.DeployRoutes(Route{Key: "wait", Function: "wait", TwoWay: true}, Route{Key: "$default", Function: "echo", TwoWay: true})
		c := g.Dial("/dev")
		c.Send(`{"action":"wait"}`)
		c.Send("quick")
		if got := c.Receive(); got != "quick" {
			t.Errorf("%q came first", got)
		}
		close(release)
		if got := c.Receive(); got != "slow" {
			t.Errorf("%q came second", got)
		}
	})
}

// Open connections follow their stage to a new deployment: section C.8.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("old", Returns(`{"statusCode":200,"body":"old"}`))
	g.Functions.Set("new", Returns(`{"statusCode":200,"body":"new"}`))
	g.DeployRoutes(Route{Key: "$default", Function: "old", TwoWay: true})
	c := g.Dial("/dev")
	c.Send("x")
	if got := c.Receive(); got != "old" {
		t.Errorf("%q", got)
	}
	g.DeployRoutes(Route{Key: "$default", Function: "new", TwoWay: true})
	c.Send("x")
	if got := c.Receive(); got != "new" {
		t.Errorf("%q after the deployment", got)
	}
	g.Remove("testapi123", "dev") // section M.16
	if code, reason := c.WaitClosed(); code != 1001 || reason != "Going away" {
		t.Errorf("closed with %d %q when the stage went", code, reason)
	}
	if _, response, _ := g.TryDial("/dev"); response == nil || response.StatusCode != 403 {
		t.Errorf("the stage that went: %v", response)
	}
}
