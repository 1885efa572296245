package gateway_test

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// refused sends a handshake and reads the answer. The body of a 101 is empty.
func refused(t *testing.T, g *Gateway) (*http.Response, string) {
	t.Helper()
	conn := raw(t, g)
	_, _ = io.WriteString(conn, upgrade)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return response, ""
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// The native sample of a refusal, header by header: specification, section A.4.
func TestRefusalOfAFunction(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":403,"headers":{"Content-Type":"application/json"},"body":"{\"reason\": \"no\"}\n"}`))
	g.DeployRoutes(Route{Key: "$connect", Function: "f"})
	response, body := refused(t, g)
	const want = "{\"reason\": \"no\"}\n"
	if response.StatusCode != 403 || body != want {
		t.Errorf("%d %q", response.StatusCode, body)
	}
	if response.Header.Get("Date") == "" {
		t.Error("no date")
	}
	response.Header.Del("Date")
	wantHeader := http.Header{
		"Content-Type": {"application/json; charset=UTF-8"}, "Content-Length": {strconv.Itoa(len(want))}, "Connection": {"keep-alive"},
		"X-Amz-Apigw-Id": {g.Functions.Events("f")[0].RequestContext.RequestID},
	}
	if diff := cmp.Diff(wantHeader, response.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// Headers that the gateway writes itself come back by another name, as in REST
// APIs; those of the hop stay behind: section B.7.
func TestRemappedHeaders(t *testing.T) {
	t.Parallel()
	header := func(w http.ResponseWriter) {
		for name, value := range map[string]string{
			"Connection": "keep-alive", "Date": "never", "Server": "mine", "Content-Type": "text/plain", "X-Own": "1", "WWW-Authenticate": "Basic", "Upgrade": "h2c",
		} {
			w.Header().Set(name, value)
		}
	}
	backend := NewBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		header(w)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "who?")
	})
	want := http.Header{
		"Content-Type": {"text/plain; charset=UTF-8"}, "Content-Length": {"4"}, "Connection": {"keep-alive"}, "X-Own": {"1"}, "Www-Authenticate": {"Basic"},
		"X-Amzn-Remapped-Connection": {"keep-alive"}, "X-Amzn-Remapped-Date": {"never"}, "X-Amzn-Remapped-Server": {"mine"}, "X-Amzn-Remapped-Content-Length": {"4"},
	}
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(`{"statusCode":401,"body":"who?","headers":{"connection":"keep-alive","date":"never","Server":"mine","Content-Length":"4",`+
		`"Content-Type":"text/plain","X-Own":"1","WWW-Authenticate":"Basic","Upgrade":"h2c","Transfer-Encoding":"chunked"}}`))
	for name, route := range map[string]Route{
		"AWS_PROXY":  {Key: "$connect", Function: "f"},
		"HTTP_PROXY": {Key: "$connect", Integration: &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: backend.URL}},
	} {
		g.DeployRoutes(route)
		response, body := refused(t, g)
		if response.StatusCode != 401 || body != "who?" {
			t.Errorf("%s: %d %q", name, response.StatusCode, body)
		}
		if date := response.Header.Get("Date"); date == "" || date == "never" {
			t.Errorf("%s: date %q", name, date)
		}
		response.Header.Del("Date")
		response.Header.Del("X-Amz-Apigw-Id")
		if diff := cmp.Diff(want, response.Header); diff != "" {
			t.Errorf("%s: header (-want +got):\n%s", name, diff)
		}
	}
}

// The status of an AWS service decides the handshake, with or without a route
// response: section A.4.
func TestServiceDecidesHandshake(t *testing.T) {
	t.Parallel()
	service := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "said")
	})
	for _, status := range []string{"200", "400", "503"} {
		for _, twoWay := range []bool{false, true} {
			g := New(t, websocket.DriverAuto)
			g.UseServices(map[string]string{"sqs": service.URL})
			i := &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs:path/" + status, IntegrationResponses: passing}
			g.DeployRoutes(Route{Key: "$connect", Integration: i, TwoWay: twoWay})
			_, response, err := g.TryDial("/dev")
			if response == nil {
				t.Fatal(err)
			}
			want := status
			if status == "200" {
				want = "101"
			}
			if strconv.Itoa(response.StatusCode) != want {
				t.Errorf("service %s: handshake %d", status, response.StatusCode)
			}
		}
	}
}

// A function that may not be called as the integration says: section A.4.
func TestBadRoles(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(ok))
	g.UseServices(nil) // no STS to take a role from
	for name, i := range map[string]*apigw.Integration{
		"bad role of a function": {IntegrationType: "AWS_PROXY", IntegrationUri: FunctionURI("f"), CredentialsArn: "role"},
		"bad role of a service":  {IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs:path/q", CredentialsArn: "arn:aws:iam::1:user/a"},
		"bad ARN of a service":   {IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs"},
	} {
		g.DeployRoutes(Route{Key: "$connect", Integration: i})
		_, response, _ := g.TryDial("/dev")
		if response == nil || response.StatusCode != 500 {
			t.Errorf("%s: %v", name, response)
			continue
		}
		body, _ := io.ReadAll(response.Body)
		checkRefusal(t, response, string(body), "Internal server error", "")
	}
}

// What a function returns cannot name a header that is none, or open the
// connection with a subprotocol that is none.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	for _, status := range []string{"403", "200"} {
		g.Functions.Set("f", Returns(`{"statusCode":`+status+`,"body":"no","headers":{"X B":"1","":"1","x-amz-apigw-id":"mine","Sec-WebSocket-Protocol":"a b"}}`))
		g.DeployRoutes(Route{Key: "$connect", Function: "f"})
		response, body := refused(t, g)
		if response.Header.Get("X B") != "" || response.Header.Get("Sec-WebSocket-Protocol") != "" && status == "200" || response.Header.Get("X-Amz-Apigw-Id") == "mine" {
			t.Errorf("%s: header %v", status, response.Header)
		}
		if status == "403" && (response.StatusCode != 403 || body != "no") || status == "200" && response.StatusCode != 101 {
			t.Errorf("%s: %d %q", status, response.StatusCode, body)
		}
	}
}

// Statuses that HTTP has no class for, and control characters in headers, are a
// malformed answer of a function, a backend or a service. They never
// reach a client.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	backend := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		w.WriteHeader(status)
	})
	g.UseServices(map[string]string{"sqs": backend.URL})
	for name, test := range map[string]struct {
		result string // of a function
		route  Route
		status int
	}{
		"function, status 600":     {`{"statusCode":600}`, Route{Function: "f"}, 502},
		"function, status 999":     {`{"statusCode":999}`, Route{Function: "f"}, 502},
		"function, NUL":            {`{"statusCode":403,"headers":{"X-A":"a\u0000b"}}`, Route{Function: "f"}, 502},
		"function, ESC":            {`{"statusCode":403,"headers":{"X-A":"\u001b[2J"}}`, Route{Function: "f"}, 502},
		"function, VT":             {`{"statusCode":403,"headers":{"X-A":"\u000b"}}`, Route{Function: "f"}, 502},
		"function, lines":          {`{"statusCode":403,"headers":{"Content-Type":"text/plain\r\nX-Injected: 1"}}`, Route{Function: "f"}, 502},
		"function, several values": {`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["a\r\nX-Injected: 1"]}}`, Route{Function: "f"}, 502},
		"HTTP_PROXY, status 600":   {"", Route{Integration: &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: backend.URL + "/600"}}, 502},
		"HTTP_PROXY, status 999":   {"", Route{Integration: &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: backend.URL + "/999"}}, 502},
		"HTTP, status 777":         {"", Route{Integration: &apigw.Integration{IntegrationType: "HTTP", IntegrationUri: backend.URL + "/777"}}, 502},
		"an AWS service's status":  {"", Route{Integration: &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs:path/777", IntegrationMethod: "GET"}}, 502},
	} {
		g.Functions.Set("f", Returns(test.result))
		test.route.Key = "$connect"
		g.DeployRoutes(test.route)
		response, body := refused(t, g)
		if response.StatusCode != test.status || !strings.Contains(body, "Internal server error") || response.Header.Get("X-Injected") != "" || response.Header.Get("X-A") != "" {
			t.Errorf("%s: %d %q %v", name, response.StatusCode, body, response.Header)
		}
	}
}
