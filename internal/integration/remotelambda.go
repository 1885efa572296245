package integration

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// RemoteLambda calls functions by the Invoke operation of AWS Lambda, at AWS or at
// the endpoint that Services has for "lambda". It is a lambda.Invoker; its errors
// are lambda.ErrNotFound, the context's, or a *failure.Error.
type RemoteLambda struct {
	Services *awsservice.Client
	Region   string // of functions that are called by a name, not by an ARN

	// FunctionName is the name of the only function at the endpoint, whatever the
	// name or ARN that an integration calls. For AWS's runtime interface emulator
	// it is "function". Empty: the function that is called.
	FunctionName string
}

var _ lambda.Invoker = (*RemoteLambda)(nil)

const (
	// maxAttempts is how often a call is made at most that Lambda throttles or
	// fails at.
	maxAttempts = 5
	// firstPause is the longest pause before the second attempt. It doubles for
	// each further one.
	firstPause = 100 * time.Millisecond
)

// Invoke implements lambda.Invoker. A call that Lambda throttles, or that fails
// within Lambda, is made again while the context's deadline allows it.
func (l *RemoteLambda) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	request, err := l.request(&call)
	if err != nil {
		return lambda.Result{}, err
	}
	for attempt := 1; ; attempt++ {
		answer, err := l.Services.Do(ctx, request)
		if err != nil {
			return lambda.Result{}, notCalled(ctx, err)
		}
		if answer.Status/100 == 2 {
			return lambda.Result{
				Payload:       answer.Body,
				FunctionError: answer.Header.Get("X-Amz-Function-Error"),
				RequestID:     answer.Header.Get("X-Amzn-RequestId"),
			}, nil
		}
		passing := answer.Status == http.StatusTooManyRequests || answer.Status >= 500
		if !passing || attempt == maxAttempts || !pause(ctx, firstPause<<(attempt-1)) {
			if ctx.Err() != nil {
				return lambda.Result{}, ctx.Err()
			}
			return lambda.Result{}, refused(answer)
		}
	}
}

// request makes the request of a call. Its headers are those of API Gateway's own
// calls: they name the API and the request that the call comes from.
func (l *RemoteLambda) request(call *lambda.Invocation) (*awsservice.Request, error) {
	function, ok := apigw.ParseFunction(call.FunctionARN)
	if !ok {
		return nil, configurationError("%q is not the name or ARN of a function", call.FunctionARN)
	}
	region, name := cmp.Or(function.Region, l.Region), cmp.Or(l.FunctionName, call.FunctionARN)
	kind := "RequestResponse"
	if call.Event {
		kind = "Event"
	}
	header := http.Header{"X-Amz-Invocation-Type": {kind}}
	for _, field := range invocationHeader(call) {
		if field.Value != "" {
			header[field.Name] = []string{field.Value}
		}
	}
	return &awsservice.Request{
		Backend: name, Patient: call.Patient,
		URI:    awsservice.PathURI(region, "lambda", apigw.InvokePath(name)),
		Header: header,
		Body:   call.Payload,
		Role:   call.Caller.Role,
	}, nil
}

// invocationHeader is what the request of a call says about its caller. Fields may be
// empty.
func invocationHeader(call *lambda.Invocation) []httpclient.Field {
	agent := ""
	if call.Caller.APIID != "" {
		agent = userAgent(call.Caller.APIID)
	}
	return []httpclient.Field{
		{Name: "User-Agent", Value: agent},
		{Name: apiIDHeader, Value: call.Caller.APIID},
		{Name: "X-Amzn-Lambda-Integration-Tag", Value: call.Caller.RequestID},
		{Name: "X-Amz-Source-Arn", Value: call.Caller.SourceARN},
		{Name: "X-Amzn-Trace-Id", Value: call.TraceID},
	}
}

// notCalled returns the error for a call that was not answered.
func notCalled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failure.New(FailureOf(err).Kind, "calling the function: %w", err)
}

// refused returns the error for an answer with which Lambda itself refuses the call.
// Its text is Lambda's.
func refused(answer *httpclient.Response) error {
	var body struct{ Message string }
	// An answer that is not an error in Lambda's form has no message.
	_ = json.Unmarshal(answer.Body, &body)
	kind, _, _ := strings.Cut(answer.Header.Get("X-Amzn-ErrorType"), ":")
	reason := strings.TrimRight(fmt.Sprintf("Lambda answered %d %s: %s", answer.Status, kind, body.Message), ": ")
	switch answer.Status {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %s", lambda.ErrNotFound, reason)
	case http.StatusForbidden:
		return configurationError("%s", reason)
	default:
		return backendError("%s", reason)
	}
}

// pause waits for a random time, at least half of the longest. It reports whether
// another attempt may follow: false where ctx has ended, or would before.
func pause(ctx context.Context, longest time.Duration) bool {
	length := longest/2 + rand.N(longest/2)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= length {
		return false
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
