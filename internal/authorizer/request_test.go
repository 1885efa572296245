package authorizer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// answering is a function with one answer.
type answering struct {
	result lambda.Result
	err    error
	calls  []lambda.Invocation
}

func (a *answering) Invoke(_ context.Context, call lambda.Invocation) (lambda.Result, error) {
	a.calls = append(a.calls, call)
	return a.result, a.err
}

func returning(payload string) *answering {
	return &answering{result: lambda.Result{Payload: []byte(payload)}}
}

func throwing(payload string) *answering {
	return &answering{result: lambda.Result{Payload: []byte(payload), FunctionError: "Unhandled"}}
}

// answer is a function's answer with a statement, and more members.
func answer(statement, more string) string {
	return `{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[` + statement + `]}` + more + `}`
}

func statement(effect, resource string) string {
	return `{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}`
}

// What a function returns and throws, and what the client sees: sections A.5
// and I.2.
func TestLambdaAuthorizer(t *testing.T) {
	t.Parallel()
	allow := statement("Allow", methodARN)
	granted := func(change func(*Grant)) *Grant {
		g := &Grant{Principal: "me"}
		if change != nil {
			change(g)
		}
		return g
	}
	const (
		wide    = "arn:aws:execute-api:*:*:abcdefghij/*"
		foreign = "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/prod/$connect"
		rest    = "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/dev/*/*"
	)
	tests := []struct {
		name     string
		function *answering
		grant    *Grant
		status   int
		message  string
		kind     string
		reason   string
	}{
		{"allow", returning(answer(allow, "")), granted(nil), 0, "", "", ""},
		{"allow by a wildcard", returning(answer(statement("Allow", wide), "")), granted(nil), 0, "", "", ""},
		{"allow all", returning(answer(`{"Action":"*","Effect":"Allow","Resource":"*"}`, "")), granted(nil), 0, "", "", ""},
		{"allow in a list", returning(answer(`{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["`+foreign+`","`+methodARN+`"]}`, "")), granted(nil), 0, "", "", ""},
		{"one statement without a list", returning(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":` + allow + `}}`), granted(nil), 0, "", "", ""},
		{
			"context", returning(answer(allow, `,"context":{"z":"text","n":7,"big":12345678901234567890.10,"yes":true,"empty":"","nothing":null,"principalId":"root","integrationLatency":1},"usageIdentifierKey":"key"`)),
			granted(func(g *Grant) {
				g.Context = []event.Parameter{{Name: "z", Value: "text"}, {Name: "n", Value: "7"}, {Name: "big", Value: "12345678901234567890.10"}, {Name: "yes", Value: "true"}, {Name: "empty", Value: ""}}
				g.UsageIdentifierKey = "key"
			}), 0, "", "", "",
		},
		{"condition that holds", returning(answer(strings.Replace(allow, "{", `{"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}},`, 1), "")), granted(nil), 0, "", "", ""},
		{"condition that does not hold", returning(answer(strings.Replace(allow, "{", `{"Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}},`, 1), "")), nil, 403, noAllow, "ACCESS_DENIED", "does not allow"},
		{"condition on the time", returning(answer(strings.Replace(allow, "{", `{"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2999-01-01T00:00:00Z"}},`, 1), "")), nil, 403, noAllow, "ACCESS_DENIED", ""},

		{"deny", returning(answer(statement("Deny", methodARN), "")), nil, 403, "User is not authorized to access this resource with an explicit deny in an identity-based policy", "ACCESS_DENIED", "denies execute-api:Invoke on " + methodARN},
		{"deny wins", returning(answer(allow+","+statement("Deny", wide), "")), nil, 403, explicitDeny, "ACCESS_DENIED", ""},
		{"no allow", returning(answer(statement("Allow", foreign), "")), nil, 403, "User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action", "ACCESS_DENIED", ""},
		{"REST API's resource", returning(answer(statement("Allow", rest), "")), nil, 403, noAllow, "ACCESS_DENIED", ""},
		{"another action", returning(answer(`{"Action":"execute-api:ManageConnections","Effect":"Allow","Resource":"*"}`, "")), nil, 403, noAllow, "ACCESS_DENIED", ""},

		{"throws Unauthorized", throwing(`{"errorMessage":"Unauthorized","errorType":"Error"}`), nil, 401, "Unauthorized", "UNAUTHORIZED", "threw Unauthorized"},
		{"throws something like it", throwing(`{"errorMessage":"unauthorized"}`), nil, 500, "Internal server error", "AUTHORIZER_FAILURE", `failed: "unauthorized"`},
		{"throws with more text", throwing(`{"errorMessage":"Unauthorized: no token"}`), nil, 500, "Internal server error", "AUTHORIZER_FAILURE", ""},
		{"throws at length", throwing(`{"errorMessage":"` + strings.Repeat("x", 5000) + `"}`), nil, 500, "Internal server error", "AUTHORIZER_FAILURE", "…"},
		{"crashes", throwing(`no JSON`), nil, 500, "Internal server error", "AUTHORIZER_FAILURE", ""},
		{"does not exist", &answering{err: fmt.Errorf("%w: gate", lambda.ErrNotFound)}, nil, 500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR", functionARN + " does not exist"},
		{"cannot be reached", &answering{err: errors.New("connection refused")}, nil, 500, "Internal server error", "AUTHORIZER_FAILURE", "connection refused"},

		{"returns nothing", returning(``), nil, 500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR", "cannot be read"},
		{"returns null", returning(`null`), nil, 500, "", "", "answered no object"},
		{"simple response", returning(`{"isAuthorized":true}`), nil, 500, "", "", "no principalId"},
		{"no principal", returning(`{"policyDocument":{"Version":"2012-10-17","Statement":[]}}`), nil, 500, "", "", "no principalId"},
		{"principal that is no text", returning(strings.Replace(answer(allow, ""), `"me"`, `7`, 1)), nil, 500, "", "", "no principalId"},
		{"no policy", returning(`{"principalId":"me"}`), nil, 500, "", "", "no policyDocument"},
		{"policy in a text", returning(`{"principalId":"me","policyDocument":"{}"}`), nil, 500, "", "", "no policyDocument"},
		{"old version", returning(strings.Replace(answer(allow, ""), "2012", "2008", 1)), nil, 500, "", "", "its Version is not 2012-10-17"},
		{"no version", returning(`{"principalId":"me","policyDocument":{"Statement":[` + allow + `]}}`), nil, 500, "", "", "its Version"},
		{"statement without an effect", returning(answer(`{"Action":"*","Resource":"*"}`, "")), nil, 500, "", "", "policyDocument that is wrong"},
		{"unknown member", returning(answer(`{"Action":"*","Resource":"*","Effect":"Allow","Unless":"x"}`, "")), nil, 500, "", "", "policyDocument that is wrong"},
		{"long resource", returning(answer(statement("Allow", "arn:aws:execute-api:"+strings.Repeat("*", 500)), "")), nil, 500, "", "", "more than 512 characters"},
		{"list in the context", returning(answer(allow, `,"context":{"roles":["a"]}`)), nil, 500, "Internal server error", "AUTHORIZER_CONFIGURATION_ERROR", `whose "roles" is neither`},
		{"object in the context", returning(answer(allow, `,"context":{"a":{}}`)), nil, 500, "", "", `whose "a" is neither`},
		{"context that is no object", returning(answer(allow, `,"context":"a"`)), nil, 500, "", "", "context that is no object"},
		{"key that is no text", returning(answer(allow, `,"usageIdentifierKey":7`)), nil, 500, "", "", "usageIdentifierKey that is no text"},
		{"long key", returning(answer(allow, `,"usageIdentifierKey":"`+strings.Repeat("x", 129)+`"`)), nil, 500, "", "", "more than 128 characters"},
		{"8 KB", returning(padded(answer(allow, ""), 8192)), granted(nil), 0, "", "", ""},
		{"more than 8 KB", returning(padded(answer(allow, ""), 8193)), nil, 500, "", "", "8193 bytes; 8192 are allowed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := build(t, &Builder{Functions: test.function}, lambdaAPI())
			grant, refusal := a.Authorize(t.Context(), &handshake{variables: map[string]any{"identity.sourceIp": "203.0.113.7"}})
			grant.Latency = 0
			if test.grant == nil {
				test.grant = new(Grant) // of a refusal it has the latency alone
			}
			if diff := cmp.Diff(test.grant, grant); diff != "" {
				t.Errorf("grant (-want +got):\n%s\n%v", diff, refusal)
			}
			if test.status == 0 || refusal == nil {
				if (test.status == 0) != (refusal == nil) {
					t.Errorf("refused with %v", refusal)
				}
				return
			}
			if refusal.Status() != test.status || !strings.Contains(refusal.Message(), test.message) || !strings.Contains(refusal.ResponseType(), test.kind) || !strings.Contains(refusal.Reason, test.reason) {
				t.Errorf("got %+v", refusal)
			}
			if len(refusal.Reason) > 1000 {
				t.Errorf("a reason of %d bytes", len(refusal.Reason))
			}
		})
	}
}

func padded(text string, size int) string { return text + strings.Repeat(" ", size-len(text)) }

// What the function is called with: sections B.5 and I.2.
func TestLambdaAuthorizerCall(t *testing.T) {
	t.Parallel()
	function := returning(answer(statement("Allow", "*"), ""))
	api := lambdaAPI()
	api.Authorizers[0].AuthorizerUri = uri(functionARN + ":${stageVariables.alias}")
	api.Authorizers[0].AuthorizerCredentialsArn = "arn:aws:iam::123456789012:role/${stageVariables.alias}"
	event := withHeader("X-Amzn-Trace-Id", "Root=1-2-3")
	event.variables = map[string]any{"requestId": "EP5tdH0zIAMEr8w="}
	if _, refusal := build(t, &Builder{Functions: function}, api).Authorize(t.Context(), event); refusal != nil {
		t.Fatal(refusal)
	}
	want := []lambda.Invocation{{
		FunctionARN: functionARN + ":blue",
		Payload:     []byte(`{"type":"REQUEST","methodArn":"` + methodARN + `"}`),
		TraceID:     "Root=1-2-3",
		Caller: lambda.Caller{
			APIID: "abcdefghij", RequestID: "EP5tdH0zIAMEr8w=", Role: "arn:aws:iam::123456789012:role/blue",
			SourceARN: "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/authorizers/auth01",
		},
	}}
	if diff := cmp.Diff(want, function.calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sleeping is a function that never answers.
type sleeping struct{}

func (sleeping) Invoke(ctx context.Context, _ lambda.Invocation) (lambda.Result, error) {
	<-ctx.Done()
	return lambda.Result{}, ctx.Err()
}

func TestLambdaAuthorizerTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, err := (&Builder{Functions: sleeping{}}).Build(lambdaAPI(), devStage)
		if err != nil {
			t.Fatal(err)
		}
		grant, refusal := a.Authorize(t.Context(), &handshake{})
		if refusal == nil || refusal.Status() != 500 || grant.Latency != 29*time.Second || !strings.Contains(refusal.Reason, "within 29s") {
			t.Errorf("got %+v", refusal)
		}
	})
}

// An empty identity source is 401 without a call: section I.2.
func TestIdentitySources(t *testing.T) {
	t.Parallel()
	event := func(change func(*handshake)) *handshake {
		h := withHeader("Auth", "secret", "Empty", "", "Twice", "first", "Twice", "")
		h.query = [][2]string{{"token", "secret"}, {"none", ""}}
		h.variables = map[string]any{"connectionId": "abc=", "connectedAt": int64(1), "requestTimeEpoch": int64(2), "eventType": "CONNECT", "messageDirection": "IN", "identity.sourceIp": "203.0.113.7"}
		h.stage = map[string]string{"alias": "blue", "empty": ""}
		if change != nil {
			change(h)
		}
		return h
	}
	tests := []struct {
		sources []string
		called  bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"route.request.header.Auth"}, true},
		{[]string{"route.request.header.AUTH"}, true},
		{[]string{"route.request.header.Empty"}, false},
		{[]string{"route.request.header.Twice"}, false},
		{[]string{"route.request.header.Other"}, false},
		{[]string{"route.request.querystring.token"}, true},
		{[]string{"route.request.querystring.Token"}, false},
		{[]string{"route.request.querystring.none"}, false},
		{[]string{"context.connectionId", "context.connectedAt", "context.requestTimeEpoch", "context.identity.sourceIp"}, true},
		{[]string{"context.eventType"}, false},
		{[]string{"context.messageDirection"}, false},
		{[]string{"context.unknown"}, false},
		{[]string{"stageVariables.alias"}, true},
		{[]string{"stageVariables.empty"}, false},
		{[]string{"stageVariables.other"}, false},
		{[]string{"route.request.header.Auth", "route.request.querystring.token"}, true},
		{[]string{"route.request.header.Auth, route.request.querystring.none"}, false},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.sources, " "), func(t *testing.T) {
			t.Parallel()
			function := returning(answer(statement("Allow", "*"), ""))
			grant, refusal := build(t, &Builder{Functions: function}, lambdaAPI(test.sources...)).Authorize(t.Context(), event(nil))
			if called := len(function.calls) == 1; called != test.called || called != (refusal == nil) {
				t.Errorf("called %v, refused %v", called, refusal)
			}
			if refusal != nil && (refusal.Status() != 401 || refusal.Message() != "Unauthorized" || grant.Latency != 0) {
				t.Errorf("got %+v", refusal)
			}
		})
	}
}
