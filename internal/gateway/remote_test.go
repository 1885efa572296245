package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Functions that are called by Lambda's Invoke operation, and what Lambda itself
// refuses: specification, sections A.4, B.5 and C.4.
func TestFunctionsOfLambda(t *testing.T) {
	t.Parallel()
	backend := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		refuse := func(status int, kind string) {
			w.Header().Set("X-Amzn-Errortype", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"Message":"because"}`)
		}
		w.Header().Set("X-Amzn-Requestid", "lambda-1")
		switch name := r.URL.Path; {
		case strings.Contains(name, "denied"):
			refuse(http.StatusForbidden, "AccessDeniedException")
		case strings.Contains(name, "alias"):
			refuse(http.StatusNotFound, "ResourceNotFoundException")
		case strings.Contains(name, "large"):
			refuse(http.StatusRequestEntityTooLarge, "RequestTooLargeException")
		case strings.Contains(name, "throws"):
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = io.WriteString(w, `{"errorType":"Error","errorMessage":"boom"}`)
		case r.Header.Get("X-Amz-Invocation-Type") == "Event":
			w.WriteHeader(http.StatusAccepted)
		default:
			_, _ = fmt.Fprintf(w, `{"statusCode":200,"body":"%d bytes"}`, len(body))
		}
	})
	g := New(t, websocket.DriverAuto)
	g.UseServices(map[string]string{"lambda": backend.URL})
	g.Backends.Functions = &integration.RemoteLambda{Services: g.Backends.Services, Region: "us-east-1"}
	names := []string{"fine", "denied", "alias:gone", "large", "throws"}
	routes := []Route{{Key: "$default", Function: "fine", TwoWay: true}}
	for _, name := range names[1:] {
		routes = append(routes, Route{Key: name, Function: name})
	}
	g.DeployRoutes(routes...)
	c := g.Dial("/dev")
	for i, test := range []struct {
		name   string
		status int // of the handshake, and of the record
		log    string
	}{
		{"denied", 500, "Lambda answered 403 AccessDeniedException: because"},
		{"alias:gone", 500, "does not exist: Lambda answered 404 ResourceNotFoundException: because"},
		{"large", 502, "Lambda answered 413 RequestTooLargeException: because"},
		{"throws", 502, "Lambda execution failed with status 200 due to customer function error: boom. Lambda request id: lambda-1"},
	} {
		c.Send(`{"action":"` + test.name + `"}`)
		checkFrame(t, c.Receive(), "Internal server error")
		if r := g.Records.Wait(t, "message", i+1); r.Status != test.status || !strings.Contains(r.Error, test.log) {
			t.Errorf("%s: %d %q, want %d %q", test.name, r.Status, r.Error, test.status, test.log)
		}
	}
	c.Send("hello")
	if got := c.Receive(); !strings.HasSuffix(got, " bytes") {
		t.Errorf("received %q", got)
	}
	call := backend.Last(t)
	if call.URL != "/2015-03-31/functions/"+strings.ReplaceAll(FunctionARN("fine"), ":", "%3A")+"/invocations" ||
		call.Header.Get("X-Amz-Source-Arn") != "arn:aws:execute-api:us-east-1:123456789012:testapi123/dev/$default" ||
		!strings.Contains(call.Body, `"body":"hello"`) {
		t.Errorf("call %+v", call)
	}
	for _, test := range []struct {
		name   string
		status int
	}{{"fine", 101}, {"denied", 500}, {"alias:gone", 500}, {"large", 502}, {"throws", 502}} {
		g.DeployRoutes(Route{Key: "$connect", Function: test.name})
		if _, response, _ := g.TryDial("/dev"); response == nil || response.StatusCode != test.status {
			t.Errorf("$connect with %s: %v, want %d", test.name, response, test.status)
		}
	}
}
