package failure

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The table, row by row: sections A.5, C.4, K.1 and K.2.
func TestTable(t *testing.T) {
	t.Parallel()
	const internal = "Internal server error"
	tests := []struct {
		kind         Kind
		status       int
		message      string
		responseType string
		log          string
		refusal      bool
	}{
		{Internal, 500, internal, "DEFAULT_5XX", "r", false},
		{Backend, 502, internal, "INTEGRATION_FAILURE", "r", false},
		{Timeout, 504, "Endpoint request timed out", "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: r", false},
		{Configuration, 500, internal, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: r", false},
		{Route, 403, "Forbidden", "DEFAULT_4XX", "r", false},
		{Body, 400, "Invalid request body", "BAD_REQUEST_BODY", "r", false},
		{MediaType, 415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", "r", false},
		{Unavailable, 503, "Service Unavailable", "DEFAULT_5XX", "r", false},
		{Parameters, 400, "Missing required request parameters: [r]", "BAD_REQUEST_PARAMETERS", "Missing required request parameters: r", false},
		{Request, 400, "Bad Request", "DEFAULT_4XX", "r", true},
		{Unauthorized, 401, "Unauthorized", "UNAUTHORIZED", "r", true},
		{Denied, 403, "Forbidden", "ACCESS_DENIED", "r", true},
		{Authorizer, 500, internal, "AUTHORIZER_FAILURE", "r", true},
		{AuthorizerConfiguration, 500, internal, "AUTHORIZER_CONFIGURATION_ERROR", "r", true},
		{NoSignature, 403, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN", "r", true},
		{Signature, 403, "Forbidden", "INVALID_SIGNATURE", "r", true},
		{Expired, 403, "The security token included in the request is expired", "EXPIRED_TOKEN", "r", true},
		{APIKey, 403, "Forbidden", "INVALID_API_KEY", "r", true},
		{Throttled, 429, "Too Many Requests", "THROTTLED", "r", true},
		{Quota, 429, "Limit Exceeded", "QUOTA_EXCEEDED", "r", true},
	}
	if len(tests) != len(table) {
		t.Errorf("the table has %d rows, the test %d", len(table), len(tests))
	}
	for _, test := range tests {
		e := &Error{Kind: test.kind, Reason: "r"}
		if e.Status() != test.status || e.Message() != test.message || e.ResponseType() != test.responseType || e.Error() != test.log || e.IsRefusal() != test.refusal {
			t.Errorf("%s: %d %q %q, a refusal: %v", e.ResponseType(), e.Status(), e.Message(), e.Error(), e.IsRefusal())
		}
		e.Text = "in other words: %s"
		if e.Message() != e.Text || e.Status() != test.status || e.Error() != test.log {
			t.Errorf("%s with a text of its own: %d %q %q", e.ResponseType(), e.Status(), e.Message(), e.Error())
		}
	}
}

// The page for users has the same table, but for the refusals.
func TestTableOfThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "integrations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## When something fails")
	section, _, _ = strings.Cut(section, "\n## ")
	of := map[string]string{} // the handshake's status by message and response type
	for _, row := range regexp.MustCompile("(?m)^\\| .* \\| (\\d*) ?\\| `(.*)` \\| `(.*)` \\|$").FindAllStringSubmatch(section, -1) {
		of[row[2]+" "+row[3]] = row[1]
	}
	if len(of) != int(Request) {
		t.Errorf("the page has %d rows, the table %d", len(of), Request)
	}
	for kind := range Request {
		e := &Error{Kind: kind, Reason: "a, b"}
		status, found := of[e.Message()+" "+e.ResponseType()]
		if !found || status != "" && status != strconv.Itoa(e.Status()) {
			t.Errorf("the page has no row %d %q %s", e.Status(), e.Message(), e.ResponseType())
		}
	}
}

// What a reason is made of stays to be found.
func TestNew(t *testing.T) {
	t.Parallel()
	e := New(Timeout, "the template %q: %w", "t", context.DeadlineExceeded)
	if e.Reason != `the template "t": context deadline exceeded` || !errors.Is(e, context.DeadlineExceeded) {
		t.Errorf("%q, %v", e.Reason, e.Cause)
	}
	if e := New(Internal, "50%% of %d", 7); e.Reason != "50% of 7" || e.Cause != nil {
		t.Errorf("%q, %v", e.Reason, e.Cause)
	}
}
