package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// requestAuthorizer is a Lambda authorizer of type REQUEST: a function returns a
// policy, and that decides. Nothing is cached: each handshake calls the function.
type requestAuthorizer struct {
	functions   lambda.Invoker
	functionARN string
	caller      lambda.Caller
	sources     []source
	methodARN   string // what the policy must allow
}

// Authorize implements Authorizer. A client without a value at each identity source
// is refused, and the function is not called.
func (a *requestAuthorizer) Authorize(ctx context.Context, e Event) (*Grant, *failure.Error) {
	for _, s := range a.sources {
		if s.missing(e) {
			return new(Grant), unauthorized("the identity source %s is missing or empty", s.text)
		}
	}
	start := time.Now()
	grant := new(Grant)
	payload, refusal := a.call(ctx, e)
	if refusal == nil {
		grant, refusal = a.decide(payload, e)
	}
	grant.Latency = time.Since(start)
	return grant, refusal
}

// call calls the function, and returns its answer.
func (a *requestAuthorizer) call(ctx context.Context, e Event) ([]byte, *failure.Error) {
	ctx, cancel := context.WithTimeout(ctx, apigw.MaxTimeout)
	defer cancel()
	caller := a.caller
	caller.RequestID, _ = e.Variable("requestId").(string)
	result, err := a.functions.Invoke(ctx, lambda.Invocation{
		FunctionARN: a.functionARN,
		Payload:     e.AppendAuthorizerEvent(make([]byte, 0, 2048), a.methodARN),
		TraceID:     last(source{kind: headerSource, name: "X-Amzn-Trace-Id"}.values(e)),
		Caller:      caller,
	})
	switch {
	case errors.Is(err, lambda.ErrNotFound):
		return nil, misconfigured("the authorizer's function %s does not exist", a.functionARN)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, failed("the authorizer's function did not answer within %s", apigw.MaxTimeout)
	case err != nil:
		return nil, failed("calling the authorizer's function: %w", err)
	case result.FunctionError == "":
		return result.Payload, nil
	}
	var thrown struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(result.Payload, &thrown) // without a message it is a failure like any other
	if thrown.Message == "Unauthorized" {
		return nil, unauthorized("the authorizer's function threw Unauthorized")
	}
	return nil, failed("the authorizer's function failed: %s", quoted(thrown.Message))
}

// decide reads the function's answer, and evaluates the policy in it.
func (a *requestAuthorizer) decide(payload []byte, e Event) (*Grant, *failure.Error) {
	result, err := parseResult(payload)
	if err != nil {
		return new(Grant), misconfigured("the authorizer's function %w", err)
	}
	if refusal := a.evaluate(result.policy, conditionKeys{e, time.Now()}); refusal != nil {
		return new(Grant), refusal
	}
	return result.grant, nil
}

// quoted returns a function's message in quotes, shortened: it can neither fill the
// log nor fake a line of it.
func quoted(message string) string {
	const most = 500
	if len(message) > most {
		return fmt.Sprintf("%.*q…", most, message)
	}
	return fmt.Sprintf("%q", message)
}
