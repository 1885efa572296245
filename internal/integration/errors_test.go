package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// The catalogue, row by row: specification, sections A.5, C.4, K.1 and K.2, and
// the errors that lead to each.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	const internal, timedOut = "Internal server error", "Endpoint request timed out"
	fromMapping := func(f mapping.Failure, missing ...string) error {
		return &mapping.Error{Failure: f, Reason: "r", Missing: missing}
	}
	tests := []struct {
		err          error
		status       int
		message      string
		responseType string
		log          string
	}{
		{&Error{Failure: FailureInternal, Reason: "r"}, 500, internal, "DEFAULT_5XX", "r"},
		{fromMapping(mapping.FailureContent), 500, internal, "DEFAULT_5XX", "r"},
		{&Error{Failure: FailureBackend, Reason: "r"}, 502, internal, "INTEGRATION_FAILURE", "r"},
		{errors.New("connection refused"), 502, internal, "INTEGRATION_FAILURE", "connection refused"},
		{context.Canceled, 502, internal, "INTEGRATION_FAILURE", "the call was interrupted: the gateway is stopping"},
		{&Error{Failure: FailureTimeout, Reason: "r"}, 504, timedOut, "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: r"},
		{context.DeadlineExceeded, 504, timedOut, "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: the integration did not answer in time"},
		{fromMapping(mapping.FailureTimeout), 504, timedOut, "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: r"},
		{&Error{Failure: FailureConfiguration, Reason: "r"}, 500, internal, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: r"},
		{fromMapping(mapping.FailureConfiguration), 500, internal, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: r"},
		{&awsservice.ConfigurationError{Reason: "r"}, 500, internal, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: r"},
		{turnstile.ErrFull, 503, "Service Unavailable", "DEFAULT_5XX", "too many calls wait for the backend"},
		{descriptors.ErrScarce, 503, "Service Unavailable", "DEFAULT_5XX", "the process is short of file descriptors"},
		{lambda.ErrNotFound, 500, internal, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: function not found"},
		{&Error{Failure: FailureRoute, Reason: "r"}, 403, "Forbidden", "DEFAULT_4XX", "r"},
		{&Error{Failure: FailureBody, Reason: "r"}, 400, "Invalid request body", "BAD_REQUEST_BODY", "r"},
		{fromMapping(mapping.FailureMediaType), 415, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", "r"},
		{fromMapping(mapping.FailureParameters, "X-A", "b"), 400, "Missing required request parameters: [X-A, b]", "BAD_REQUEST_PARAMETERS", "Missing required request parameters: X-A, b"},
	}
	for _, test := range tests {
		for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err)} {
			e := AsError(err)
			if e.Status() != test.status || e.Message() != test.message || e.ResponseType() != test.responseType {
				t.Errorf("%v: %d %q %s, want %d %q %s", err, e.Status(), e.Message(), e.ResponseType(), test.status, test.message, test.responseType)
			}
		}
		if got := AsError(test.err).Error(); got != test.log {
			t.Errorf("log %q, want %q", got, test.log)
		}
	}
	for _, test := range []struct {
		responseType string
		status       int
		message      string
	}{
		{"UNAUTHORIZED", 401, "Unauthorized"},
		{"ACCESS_DENIED", 403, "Forbidden"},
		{"AUTHORIZER_FAILURE", 500, internal},
		{"AUTHORIZER_CONFIGURATION_ERROR", 500, internal},
		{"MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token"},
		{"INVALID_SIGNATURE", 403, "Forbidden"},
		{"EXPIRED_TOKEN", 403, "The security token included in the request is expired"},
		{"INVALID_API_KEY", 403, "Forbidden"},
		{"THROTTLED", 429, "Too Many Requests"},
		{"QUOTA_EXCEEDED", 429, "Limit Exceeded"},
	} {
		e := Refusal(test.responseType, "", "r")
		if e.Status() != test.status || e.Message() != test.message || e.ResponseType() != test.responseType || e.Error() != "r" || !e.IsRefusal() {
			t.Errorf("%s: %d %q %s", test.responseType, e.Status(), e.Message(), e.ResponseType())
		}
		if e = Refusal(test.responseType, "in other words", "r"); e.Message() != "in other words" || e.Status() != test.status {
			t.Errorf("%s: %d %q", test.responseType, e.Status(), e.Message())
		}
	}
	if e := Refusal("INTEGRATION_FAILURE", "text", "r"); e.Failure != FailureInternal || e.Message() != internal || e.IsRefusal() {
		t.Errorf("a refusal of an unknown type: %+v", e)
	}
	if got := failed(ended(t), errors.New("use of closed connection")); got.Failure != FailureBackend || got.Reason != AsError(context.Canceled).Reason {
		t.Errorf("a context that ended: %v", got)
	}
	if got := failed(ended(t), fromMapping(mapping.FailureTimeout)); got.Reason != "r" {
		t.Errorf("a template that ran out of time: %v", got)
	}
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
