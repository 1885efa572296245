package integration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/lambda"
)

// lambdaProxy is AWS_PROXY: the whole event goes to a function, the function's
// result decides the answer.
type lambdaProxy struct {
	functions   lambda.Invoker
	functionARN string
	timeout     time.Duration
}

func (b *lambdaProxy) Invoke(ctx context.Context, r *Request) (*Response, error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	result, err := b.functions.Invoke(ctx, lambda.Invocation{
		FunctionARN: b.functionARN,
		Payload:     AppendLambdaEvent(make([]byte, 0, 1024+len(r.Body)), r),
		TraceID:     r.TraceID,
		Caller:      lambda.Caller{APIID: r.APIID, RequestID: r.RequestID},
	})
	if failed, ok := errors.AsType[*Error](err); ok {
		return nil, failed
	}
	switch {
	case errors.Is(err, lambda.ErrNotFound):
		return nil, &Error{FailureConfiguration, fmt.Sprintf("function %s does not exist", b.functionARN)}
	case ctx.Err() != nil:
		return nil, interrupted(ctx)
	case err != nil:
		return nil, &Error{FailureBackend, err.Error()}
	case result.FunctionError != "":
		return nil, &Error{FailureBackend, "the function failed: " + errorMessage(result.Payload)}
	}
	return parseProxyResult(result.Payload)
}
