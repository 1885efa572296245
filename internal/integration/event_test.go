package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// The variables of section K.1, by event.
func TestVariables(t *testing.T) {
	t.Parallel()
	connect := sample(Connect, "$connect")
	connect.Failed = &failure.Error{Kind: failure.Parameters, Reason: "a, b"}
	quoting := sample(Connect, "$connect")
	quoting.Failed = &failure.Error{Kind: failure.Signature, Reason: "r", Text: "should have been\n'\"é\x00'"}
	if got := quoting.Context().Variable("error.messageString"); got != `"should have been\n'\"é\u0000'"` {
		t.Errorf("what a client sent, quoted: %s", got)
	}
	message := sample(Message, "join")
	message.MessageID = "gbikqm-vtQAYKEiHxA=="
	message.Integration = Outcome{Latency: 1500 * time.Microsecond, Status: 200, RequestID: "aws-1", Error: "boom"}
	message.Connection.Authorizer = &Authorizer{
		Latency: time.Second, PrincipalID: "ada", Context: []mapping.Parameter{{Name: "team", Value: "blue"}},
		Identity: []mapping.Parameter{{Name: "userArn", Value: "arn:aws:iam::123456789012:user/ada"}},
	}
	invalid := sample(Message, "join")
	invalid.UserAgent = ""
	invalid.Failed = &failure.Error{Kind: failure.Body, Reason: "at /a: wrong"}
	bye := sample(Disconnect, "$disconnect")
	bye.CloseCode, bye.CloseReason = 1001, ""
	tests := []struct {
		name                          string
		connect, message, invalid, by any
	}{
		{"apiId", "a1b2c3d4e5", "a1b2c3d4e5", "a1b2c3d4e5", "a1b2c3d4e5"},
		{"authorizer.principalId", nil, "ada", nil, nil},
		{"authorizer.team", nil, "blue", nil, nil},
		{"authorizer.latency", nil, nil, nil, nil}, // $connect alone has one
		{"authorizer.integrationLatency", nil, nil, nil, nil},
		{"authorize.status", nil, nil, nil, nil},
		{"authenticate.status", nil, nil, nil, nil},
		{"connectedAt", int64(1790327995123), int64(1790327995123), int64(1790327995123), int64(1790327995123)},
		{"connectionId", "gbikqi-vWQAYKEiHxA==", "gbikqi-vWQAYKEiHxA==", "gbikqi-vWQAYKEiHxA==", "gbikqi-vWQAYKEiHxA=="},
		{"disconnectReason", nil, nil, nil, ""},
		{"disconnectStatusCode", nil, nil, nil, int64(1001)},
		{"domainName", connect.DomainName, connect.DomainName, connect.DomainName, connect.DomainName},
		{"error.message", "Missing required request parameters: [a, b]", nil, "Invalid request body", nil},
		{"error.messageString", `"Missing required request parameters: [a, b]"`, nil, `"Invalid request body"`, nil},
		{"error.responseType", "BAD_REQUEST_PARAMETERS", nil, "BAD_REQUEST_BODY", nil},
		{"error.validationErrorString", nil, nil, "at /a: wrong", nil},
		{"eventType", "CONNECT", "MESSAGE", "MESSAGE", "DISCONNECT"},
		{"extendedRequestId", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w="},
		{"identity.sourceIp", "203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.7"},
		{"identity.userAgent", "ua/1.0", "ua/1.0", nil, "ua/1.0"},
		{"identity.userArn", nil, "arn:aws:iam::123456789012:user/ada", nil, nil},
		{"integration.error", nil, "boom", nil, nil},
		{"integration.integrationStatus", nil, int64(200), nil, nil},
		{"integration.latency", nil, int64(1), nil, nil},
		{"integration.requestId", nil, "aws-1", nil, nil},
		{"integration.status", nil, int64(200), nil, nil},
		{"integrationLatency", nil, int64(1), nil, nil},
		{"messageDirection", "IN", "IN", "IN", "IN"},
		{"messageId", nil, "gbikqm-vtQAYKEiHxA==", nil, nil},
		{"requestId", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w=", "EP5tdH0zIAMEr8w="},
		{"requestTime", "25/Sep/2026:09:19:55 +0000", "25/Sep/2026:09:19:55 +0000", "25/Sep/2026:09:19:55 +0000", "25/Sep/2026:09:19:55 +0000"},
		{"requestTimeEpoch", int64(1790327995130), int64(1790327995130), int64(1790327995130), int64(1790327995130)},
		{"routeKey", "$connect", "join", "join", "$disconnect"},
		{"stage", "dev", "dev", "dev", "dev"},
		{"status", int64(400), int64(200), int64(400), nil},
		{"waf.status", nil, nil, nil, nil},
		{"accountId", nil, nil, nil, nil},
	}
	for _, test := range tests {
		for i, want := range []any{test.connect, test.message, test.invalid, test.by} {
			r := []*Request{connect, message, invalid, bye}[i]
			if got := r.Context().Variable(test.name); got != want {
				t.Errorf("%s of %s: %#v, want %#v", test.name, r.RouteKey, got, want)
			}
		}
	}
	asked := sample(Connect, "$connect")
	asked.Connection.Authorizer = message.Connection.Authorizer
	if got := asked.Context().Variable("authorizer.integrationLatency"); got != int64(1000) {
		t.Errorf("the latency of the authorizer: %v", got)
	}
	var authorizer []string
	for name, value := range message.Context().Authorizer() {
		authorizer = append(authorizer, name+"="+value)
	}
	if diff := cmp.Diff([]string{"principalId=ada", "team=blue"}, authorizer); diff != "" {
		t.Errorf("authorizer (-want +got):\n%s", diff)
	}
}

// The handshake's parameters: every value, in order; none in the path.
func TestParameters(t *testing.T) {
	t.Parallel()
	r := sample(Connect, "$connect")
	r.Header = Header{{"x-b", "1"}, {"X-A", "2"}, {"x-b", "3"}}
	r.Query = map[string][]string{"b": {"1", "2"}, "a": {"3"}}
	for location, want := range map[mapping.Location]string{
		mapping.Header: "x-b=1 X-A=2 x-b=3 ", mapping.QueryString: "a=3 b=1 b=2 ", mapping.Path: "",
	} {
		got, first := "", ""
		for name, value := range r.Context().Parameters(location) {
			got += fmt.Sprintf("%s=%s ", name, value)
		}
		for name := range r.Context().Parameters(location) { // and it can be left
			first = name
			break
		}
		if got != want || len(first) > len(want) {
			t.Errorf("%v: %q, want %q", location, got, want)
		}
	}
}
