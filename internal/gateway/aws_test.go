package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// AWS integrations of functions, the non-proxy kind: specification, sections
// B.7, D.1 and D.3.
func TestFunctionIntegration(t *testing.T) {
	t.Parallel()
	type responses = []*apigw.IntegrationResponse
	const boom = "Lambda execution failed with status 200 due to customer function error: [404] no such room. Lambda request id: 0a1b2c3d-0000-4000-8000-000000000000"
	throws := errors.New("[404] no such room")
	byMessage := responses{answering(`/\[4\d\d\].*/`, `refused: $input.path('$.errorMessage')`), answering("$default", "")}
	tests := []struct {
		name      string
		request   string // template; "" for none
		responses responses
		result    string
		err       error
		oneWay    bool
		payload   string // that the function gets
		want      string // "" and one-way: nothing
		log       string
	}{
		{"template and result", `{"user": $input.json('$.user')}`, passing, `{"ok":true}`, nil, false, `{"user": "ada"}`, `{"ok":true}`, ""},
		{"the message as it is", "", passing, `[1]`, nil, false, `{"action":"x","user":"ada"}`, `[1]`, ""},
		{"no proxy result is wanted", "", passing, `null`, nil, false, `{"action":"x","user":"ada"}`, `null`, ""},
		{"response template", "", responses{answering("$default", `<$input.path('$.text')>`)}, `{"text":"hi"}`, nil, false, `{"action":"x","user":"ada"}`, `<hi>`, ""},
		{"error by its message", "", byMessage, "", throws, false, `{"action":"x","user":"ada"}`, `refused: [404] no such room`, boom},
		{"error that no pattern fits", "", responses{answering("/5../", "no"), answering("$default", "default")}, "", throws, false, `{"action":"x","user":"ada"}`, "default", boom},
		{"success is $default, whatever patterns say", "", responses{answering("/.*/", "pattern"), answering("$default", "default")}, `{}`, nil, false, `{"action":"x","user":"ada"}`, "default", ""},
		{"a result that looks like an error", "", byMessage, `{"errorMessage":"[400] mine"}`, nil, false, `{"action":"x","user":"ada"}`, "refused: [400] mine", ""},
		{"no match", "", responses{answering("/5../", "no")}, `{}`, nil, false, `{"action":"x","user":"ada"}`, internalFrame, "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200"},
		{"one-way without integration responses", "", nil, `{}`, nil, true, `{"action":"x","user":"ada"}`, "", ""},
		{"one-way error without integration responses", "", nil, "", throws, true, `{"action":"x","user":"ada"}`, internalFrame, boom},
		{"one-way error with integration responses", "", byMessage, "", throws, true, `{"action":"x","user":"ada"}`, "", boom},
		{"a request that is not JSON", "user=$input.path('$.user')", passing, `{}`, nil, false, "", internalFrame, "the request for the function is not JSON: user=ada"},
		{"an empty request", "#set($a=1)", passing, `{}`, nil, false, "{}", `{}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			g.Functions.Set("f", func(context.Context, Event) (string, error) { return test.result, test.err })
			i := &apigw.Integration{IntegrationType: "AWS", IntegrationUri: FunctionURI("f"), IntegrationResponses: test.responses}
			if test.request != "" {
				i.RequestTemplates = map[string]string{"$default": test.request}
			}
			g.DeployRoutes(Route{Key: "x", Integration: i, TwoWay: !test.oneWay}, Route{Key: "$default"})
			c := g.Dial("/dev")
			c.Send(`{"action":"x","user":"ada"}`)
			if got := g.Records.Wait(t, "message", 1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
				t.Errorf("log %q, want %q", got, test.log)
			}
			if test.oneWay && test.want == "" {
				c.Send(`other`) // its frame is the next that comes
				test.want = internalFrame
			}
			if got := describe(c.Receive()); got != test.want {
				t.Errorf("received %q, want %q", got, test.want)
			}
			got := ""
			for _, e := range g.Functions.Events("f") {
				got += e.Raw
			}
			if got != test.payload {
				t.Errorf("the function received %s, want %s", got, test.payload)
			}
		})
	}
}

// How functions are called: on whose behalf, and asynchronously where a header
// says so. Sections B.5 and D.1.
func TestFunctionCalls(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/caller"
	async := map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
	g := New(t, websocket.DriverAuto)
	for _, name := range []string{"f", "f-blue"} {
		g.Functions.Set(name, Returns(`{"statusCode":200,"body":"answered"}`))
	}
	route := func(key, kind, function string, change func(*apigw.Integration)) Route {
		i := &apigw.Integration{IntegrationType: kind, IntegrationMethod: "POST", IntegrationUri: FunctionURI(function), IntegrationResponses: passing}
		if change != nil {
			change(i)
		}
		return Route{Key: key, Integration: i, TwoWay: true}
	}
	g.Deploy(API("testapi123",
		route("proxy", "AWS_PROXY", "f", nil),
		route("proxy async", "AWS_PROXY", "f", func(i *apigw.Integration) { i.RequestParameters = async }),
		route("async", "AWS", "f", func(i *apigw.Integration) { i.RequestParameters = async }),
		route("role", "AWS", "f-${stageVariables.colour}", func(i *apigw.Integration) { i.CredentialsArn = "${stageVariables.role}" }),
		route("kind", "AWS_PROXY", "f", func(i *apigw.Integration) {
			i.RequestParameters = map[string]string{"integration.request.header.X-Amz-Invocation-Type": "route.request.body.kind"}
		}),
		route("GET", "AWS_PROXY", "f", func(i *apigw.Integration) { i.IntegrationMethod = "GET" }),
		route("caller's", "AWS", "f", func(i *apigw.Integration) { i.CredentialsArn = "arn:aws:iam::*:user/*" }),
	), &apigw.Stage{StageName: "dev", StageVariables: map[string]string{"colour": "blue", "role": role}})
	c := g.Dial("/dev")
	for i, test := range []struct {
		key, more, want string
		function        string // that was called; "" for none
		event           bool
		role            string
		log             string
	}{
		{"proxy", "", "answered", "f", false, "", ""},
		{"proxy async", "", "", "f", true, "", ""},
		{"async", "", "", "f", true, "", ""},
		{"role", "", `{"statusCode":200,"body":"answered"}`, "f-blue", false, role, ""},
		{"kind", `,"kind":"Event"`, "", "f", true, "", ""},
		{"kind", `,"kind":"DryRun"`, internalFrame, "", false, "", `X-Amz-Invocation-Type is "DryRun"`},
		{"kind", "", "answered", "f", false, "", ""},
		{"GET", "", internalFrame, "", false, "", "IntegrationMethod is GET; functions are called by POST"},
		{"caller's", "", internalFrame, "", false, "", "the caller's credentials are not available"},
	} {
		before := map[string]int{"f": len(g.Functions.Events("f")), "f-blue": len(g.Functions.Events("f-blue"))}
		c.Send(`{"action":"` + test.key + `"` + test.more + `}`)
		if got := describe(c.Receive()); got != test.want {
			t.Errorf("%s%s: received %q, want %q", test.key, test.more, got, test.want)
		}
		if got := g.Records.Wait(t, "message", i+1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
			t.Errorf("%s%s: log %q, want %q", test.key, test.more, got, test.log)
		}
		if test.function == "" {
			continue
		}
		events := g.Functions.Events(test.function)
		if len(events) != before[test.function]+1 {
			t.Fatalf("%s%s: %s was called %d times", test.key, test.more, test.function, len(events)-before[test.function])
		}
		call := events[len(events)-1].Call
		if call.Event != test.event || call.Caller.Role != test.role || call.Caller.APIID != "testapi123" ||
			call.Caller.SourceARN != "arn:aws:execute-api:us-east-1:123456789012:testapi123/dev/"+test.key {
			t.Errorf("%s%s: %+v", test.key, test.more, call)
		}
	}
}

// AWS integrations of other services: specification, sections D.1 to D.3.
func TestServiceIntegration(t *testing.T) {
	t.Parallel()
	service := NewBackend(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "service-1")
		if strings.Contains(r.Header.Get("X-Amz-Target"), "PutItem") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"__type":"ValidationException","message":"no"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"done":true}`)
	})
	g := New(t, websocket.DriverAuto)
	g.UseServices(map[string]string{"dynamodb": service.URL, "states": service.URL, "sqs": service.URL, "s3": service.URL, "sns": "http://127.0.0.1:1"})
	route := func(key, target string, change func(*apigw.Integration)) Route {
		i := &apigw.Integration{
			IntegrationType: "AWS", IntegrationMethod: "POST", IntegrationUri: "arn:aws:apigateway:us-east-1:" + target,
			CredentialsArn: "arn:aws:iam::123456789012:role/any",
			IntegrationResponses: []*apigw.IntegrationResponse{
				answering("/200/", `200 $context.integration.requestId $input.json('$.done')`),
				answering("/4\\d\\d/", `$context.integration.status $input.path('$.message')`),
			},
		}
		if change != nil {
			change(i)
		}
		return Route{Key: key, Integration: i, TwoWay: true}
	}
	parameters := func(pairs ...string) func(*apigw.Integration) {
		return func(i *apigw.Integration) {
			i.RequestParameters = map[string]string{}
			for n := 0; n < len(pairs); n += 2 {
				i.RequestParameters["integration.request."+pairs[n]] = pairs[n+1]
			}
		}
	}
	g.DeployRoutes(
		route("start", "states:action/StartExecution", func(i *apigw.Integration) {
			i.RequestTemplates = map[string]string{"$default": `{"input": "$util.escapeJavaScript($input.json('$.data'))"}`}
		}),
		route("put", "dynamodb:action/PutItem", nil),
		route("queue", "sqs:path/123456789012/{queue}", parameters(
			"path.queue", "route.request.body.queue", "querystring.Delay", "'5'", "header.Content-Type", "'application/x-www-form-urlencoded'")),
		route("get", "s3:path/bucket/key", func(i *apigw.Integration) { i.IntegrationMethod = "GET" }),
		route("down", "sns:action/Publish", nil),
		route("signed", "sqs:path/q", parameters("header.Authorization", "'mine'")),
		route("traced", "sqs:path/q", parameters("header.X-Amzn-Trace-Id", "'mine'")),
		route("nowhere", "nothing:action/Do", nil),
		route("norole", "sqs:path/q", func(i *apigw.Integration) { i.CredentialsArn = "role" }),
	)
	c := g.Dial("/dev")
	for i, test := range []struct{ key, more, want, call, log string }{
		{"start", `,"data":{"a":1}`, "200 service-1 true", "POST /\nX-Amz-Target: AWSStepFunctions.StartExecution\nContent-Type: application/x-amz-json-1.0\n" + `{"input": "{\"a\":1}"}`, ""},
		{"put", "", "400 no", "POST /\nX-Amz-Target: DynamoDB_20120810.PutItem\nContent-Type: application/x-amz-json-1.0\n" + `{"action":"put"}`, ""},
		{"queue", `,"queue":"a b"`, "200 service-1 true", "POST /123456789012/a%20b?Delay=5\nX-Amz-Target: \nContent-Type: application/x-www-form-urlencoded\n" + `{"action":"queue","queue":"a b"}`, ""},
		{"queue", `,"queue":".."`, internalFrame, "", "leads to another path"},
		{"get", "", "200 service-1 true", "GET /bucket/key\nX-Amz-Target: \nContent-Type: application/json\n" + `{"action":"get"}`, ""},
		{"down", "", internalFrame, "", "calling AWS: POST http://127.0.0.1:1"},
		{"signed", "", internalFrame, "", "header Authorization cannot be mapped"},
		{"traced", "", internalFrame, "", "X-Amzn-Trace-Id cannot be mapped"},
		{"nowhere", "", internalFrame, "", "actions of nothing are not known here"},
		{"norole", "", internalFrame, "", `CredentialsArn "role" is not the ARN of a role`},
	} {
		before := service.Calls()
		c.Send(`{"action":"` + test.key + `"` + test.more + `}`)
		if got := describe(c.Receive()); got != test.want {
			t.Errorf("%s: received %q, want %q", test.key, got, test.want)
		}
		if got := g.Records.Wait(t, "message", i+1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
			t.Errorf("%s: log %q, want %q", test.key, got, test.log)
		}
		if test.call == "" {
			if service.Calls() != before {
				t.Errorf("%s: the service was called", test.key)
			}
			continue
		}
		call := service.Last(t)
		got := fmt.Sprintf("%s %s\nX-Amz-Target: %s\nContent-Type: %s\n%s", call.Method, call.URL, call.Header.Get("X-Amz-Target"), call.Header.Get("Content-Type"), call.Body)
		if diff := cmp.Diff(test.call, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.key, diff)
		}
		if !strings.HasPrefix(call.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") || call.Header.Get("User-Agent") != "AmazonAPIGateway_testapi123" {
			t.Errorf("%s: header %v", test.key, call.Header)
		}
	}
}
