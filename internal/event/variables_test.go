package event

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/failure"
)

// The variables of section K.1, by event.
func TestVariables(t *testing.T) {
	t.Parallel()
	connect := sample(Connect, "$connect")
	connect.Failed = &failure.Error{Kind: failure.Parameters, Reason: "a, b"}
	quoting := sample(Connect, "$connect")
	quoting.Failed = &failure.Error{Kind: failure.Signature, Reason: "r", Text: "should have been\n'\"é\x00'"}
	if got := quoting.Variable("error.messageString"); got != `"should have been\n'\"é\u0000'"` {
		t.Errorf("what a client sent, quoted: %s", got)
	}
	message := sample(Message, "join")
	message.messageID = "gbikqm-vtQAYKEiHxA=="
	message.Integration = Outcome{Latency: 1500 * time.Microsecond, Status: 200, RequestID: "aws-1", Error: "boom"}
	message.Connection.Client = &Client{
		Latency: time.Second, PrincipalID: "ada", Context: []Parameter{{Name: "team", Value: "blue"}},
		Identity: []Parameter{{Name: "userArn", Value: "arn:aws:iam::123456789012:user/ada"}},
	}
	invalid := sample(Message, "join")
	invalid.messageID, invalid.Connection.UserAgent = "gbikqn-vtQAYKEiHxA==", ""
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
		{"domainName", connect.Connection.DomainName, connect.Connection.DomainName, connect.Connection.DomainName, connect.Connection.DomainName},
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
		{"messageId", nil, "gbikqm-vtQAYKEiHxA==", "gbikqn-vtQAYKEiHxA==", nil},
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
			r := []*Event{connect, message, invalid, bye}[i]
			if got := r.Variable(test.name); got != want {
				t.Errorf("%s of %s: %#v, want %#v", test.name, r.RouteKey, got, want)
			}
		}
	}
	asked := sample(Connect, "$connect")
	asked.Connection.Client = message.Connection.Client
	if got := asked.Variable("authorizer.integrationLatency"); got != int64(1000) {
		t.Errorf("the latency of the authorizer: %v", got)
	}
	asked.Connection.Client = &Client{Latency: time.Second, Context: []Parameter{{Name: "latency", Value: "own"}}}
	if own, took := asked.Variable("authorizer.latency"), asked.Variable("authorizer.integrationLatency"); own != "own" || took != int64(1000) {
		t.Errorf("an authorizer that returns a latency: %v, %v", own, took)
	}
	message.Status = 503
	if got := message.Variable("status"); got != int64(503) {
		t.Errorf("what a function answered the client: %v", got)
	}
	var authorizer []string
	for name, value := range message.Authorizer() {
		authorizer = append(authorizer, name+"="+value)
	}
	if diff := cmp.Diff([]string{"principalId=ada", "team=blue"}, authorizer); diff != "" {
		t.Errorf("authorizer (-want +got):\n%s", diff)
	}
}

// The table has all variables that section K.1 lists, in their groups.
func TestVariablesOfAccessLogs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "behaviour", "access.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "### K.1 ")
	section, _, _ = strings.Cut(section, "[D] What they were")
	quoted := regexp.MustCompile("`([A-Za-z]+)`")
	listed := 0
	for _, row := range regexp.MustCompile(`(?m)^\|(.*)\|(.*)\|$`).FindAllStringSubmatch(section, -1) {
		groups := quoted.FindAllStringSubmatch(row[1], -1)
		for _, name := range quoted.FindAllStringSubmatch(row[2], -1) {
			if len(groups) == 0 {
				groups = [][]string{{"", ""}}
			}
			for _, group := range groups {
				whole := strings.TrimPrefix(group[1]+"."+name[1], ".")
				if variables[whole] == nil {
					t.Errorf("there is no %s", whole)
				}
				listed++
			}
		}
	}
	if listed < 50 {
		t.Errorf("the page lists %d variables", listed)
	}
	for name := range Variables() {
		if group, _, found := strings.Cut(name, "."); found && !slices.Contains(Groups[:], group) {
			t.Errorf("%s is in none of the groups", name)
		}
	}
}

// The handshake's parameters: every value, in order; none in the path.
func TestParameters(t *testing.T) {
	t.Parallel()
	r := sample(Connect, "$connect")
	r.Header = []Parameter{{"x-b", "1"}, {"X-A", "2"}, {"x-b", "3"}}
	r.Query = map[string][]string{"b": {"1", "2"}, "a": {"3"}}
	for location, want := range map[Location]string{
		Header: "x-b=1 X-A=2 x-b=3 ", QueryString: "a=3 b=1 b=2 ", Path: "",
	} {
		got, first := "", ""
		for name, value := range r.Parameters(location) {
			got += fmt.Sprintf("%s=%s ", name, value)
		}
		for name := range r.Parameters(location) { // and it can be left
			first = name
			break
		}
		if got != want || len(first) > len(want) {
			t.Errorf("%v: %q, want %q", location, got, want)
		}
	}
}
