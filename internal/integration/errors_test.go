package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// What calls fail with, and the kind of failure that each is: sections A.5, C.4
// and K.1.
func TestFailureOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err    error
		kind   failure.Kind
		reason string
	}{
		{failure.New(failure.MediaType, "r"), failure.MediaType, "r"},
		{errors.New("connection refused"), failure.Backend, "connection refused"},
		{context.Canceled, failure.Backend, "the call was interrupted: the gateway is stopping"},
		{context.DeadlineExceeded, failure.Timeout, "the integration did not answer in time"},
		{&awsservice.ConfigurationError{Reason: "r"}, failure.Configuration, "r"},
		{turnstile.ErrFull, failure.Unavailable, "too many calls wait for the backend"},
		{descriptors.ErrScarce, failure.Unavailable, "the process is short of file descriptors"},
		{lambda.ErrNotFound, failure.Configuration, "function not found"},
	}
	for _, test := range tests {
		if got := FailureOf(test.err); got.Kind != test.kind || got.Reason != test.reason {
			t.Errorf("%v: %s %q", test.err, got.ResponseType(), got.Reason)
		}
		wrapped := fmt.Errorf("wrapped: %w", test.err)
		if got := FailureOf(wrapped); got.Kind != test.kind {
			t.Errorf("%v: %s", wrapped, got.ResponseType())
		}
	}
	if got := failed(ended(t), errors.New("use of closed connection")); got.Kind != failure.Backend || got.Reason != FailureOf(context.Canceled).Reason {
		t.Errorf("a context that ended: %v", got)
	}
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
