package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// function is a Lambda function as integrations call it.
type function struct {
	invoker lambda.Invoker
	arn     string
	caller  lambda.Caller // of all calls; each sets its RequestID
	uri     string        // of the operation that calls it at AWS
}

// buildFunction makes the function that an integration calls.
func (b *Builder) buildFunction(i *apigw.Integration, at Place) (*function, error) {
	arn, err := functionOf(i)
	if err != nil {
		return nil, err
	}
	if m := method(i); m != http.MethodPost {
		return nil, fmt.Errorf("IntegrationMethod is %s; functions are called by POST", m)
	}
	if err := awsservice.CheckCredentials(i.CredentialsArn); err != nil {
		return nil, err
	}
	return &function{
		invoker: b.Functions, arn: arn, uri: b.invokeURI(arn),
		caller: lambda.Caller{APIID: at.APIID, SourceARN: b.sourceARN(at), Role: i.CredentialsArn},
	}, nil
}

// invokeURI returns the URI of the operation that calls a function at AWS.
func (b *Builder) invokeURI(arn string) string {
	region := b.Region
	if f, ok := apigw.ParseFunction(arn); ok && f.Region != "" {
		region = f.Region
	}
	return "https://" + awsservice.Host("lambda", region) + apigw.InvokePath(arn)
}

// functionOf returns the ARN of the function that an integration's URI names.
// AWS_PROXY may name it plainly.
func functionOf(i *apigw.Integration) (string, error) {
	if arn, ok := apigw.FunctionOfURI(i.IntegrationUri); ok {
		return arn, nil
	}
	if i.IntegrationType == apigw.IntegrationAWSProxy && apigw.IsFunctionARN(i.IntegrationUri) {
		return i.IntegrationUri, nil
	}
	return "", fmt.Errorf("IntegrationUri %q does not name a Lambda function; expected "+apigw.FunctionURIForm, i.IntegrationUri)
}

// isFunction reports whether a URI calls a function.
func isFunction(uri string) bool {
	_, ok := apigw.FunctionOfURI(uri)
	return ok
}

// invoke calls the function with a payload, and waits for its result unless the
// call is asynchronous.
func (f *function) invoke(ctx context.Context, e *event.Event, payload []byte, asynchronous bool) (lambda.Result, *failure.Error) {
	call := lambda.Invocation{FunctionARN: f.arn, Payload: payload, TraceID: e.TraceID, Event: asynchronous, Patient: e.Type == event.Disconnect, Caller: f.caller}
	call.Caller.RequestID = e.RequestID
	began := time.Now()
	if e.Trace != nil {
		traceInvocation(e.Trace, began, &call, f.uri)
	}
	result, err := f.invoker.Invoke(ctx, call)
	e.Integration.Latency = time.Since(began)
	if err != nil {
		known := f.failure(ctx, err)
		if e.Trace != nil {
			traceNoResponse(e, began, known)
		}
		return result, known
	}
	e.Integration.Status, e.Integration.RequestID = http.StatusOK, result.RequestID
	if asynchronous {
		e.Integration.Status = http.StatusAccepted
	}
	if result.FunctionError != "" {
		e.Integration.Error = fmt.Sprintf("Lambda execution failed with status 200 due to customer function error: %s. Lambda request id: %s",
			errorMessage(result.Payload), result.RequestID)
	}
	if e.Trace != nil {
		traceResult(e, began, &result)
	}
	return result, nil
}

// failure returns what the error of a call means.
func (f *function) failure(ctx context.Context, err error) *failure.Error {
	if errors.Is(err, lambda.ErrNotFound) {
		_, detail, _ := strings.Cut(err.Error(), lambda.ErrNotFound.Error()) // Lambda's own words
		return configurationError("function %s does not exist%s", f.arn, detail)
	}
	return failed(ctx, err)
}

// call implements endpoint. That a function fails is an answer too: integration
// responses are chosen by its message.
func (f *function) call(ctx context.Context, e *event.Event, request *mapping.Request) (*Response, *failure.Error) {
	if err := checkMapped(request.Header, isReservedForAWS); err != nil {
		return nil, err
	}
	asynchronous, err := isAsynchronous(request.Header)
	if err != nil {
		return nil, err
	}
	payload := request.Body
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		return nil, failure.New(failure.Internal, "the request for the function is not JSON: %s", abbreviate(payload))
	}
	result, err := f.invoke(ctx, e, payload, asynchronous)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Amzn-Requestid": {result.RequestID}}
	return &Response{Status: e.Integration.Status, Header: header, Body: result.Payload}, nil
}

// isAsynchronous reports whether the mapped headers ask for a call whose result
// nobody waits for. The error is for a header with another value.
func isAsynchronous(header []event.Parameter) (bool, *failure.Error) {
	kind := "RequestResponse"
	for _, p := range header {
		if strings.EqualFold(p.Name, "X-Amz-Invocation-Type") {
			kind = p.Value
		}
	}
	switch kind {
	case "RequestResponse":
		return false, nil
	case "Event":
		return true, nil
	}
	return false, configurationError("X-Amz-Invocation-Type is %q; it must be RequestResponse or Event", kind)
}

// lambdaProxy is AWS_PROXY: the whole event goes to a function, the function's
// result decides the answer.
type lambdaProxy struct {
	*function
	requests *mapping.Requests // nil: no parameters are mapped
	timeout  time.Duration
}

// Invoke implements Backend.
func (b *lambdaProxy) Invoke(ctx context.Context, e *event.Event) (*Response, *failure.Error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	asynchronous, err := b.isAsynchronous(e)
	if err != nil {
		return nil, err
	}
	result, err := b.invoke(ctx, e, e.AppendLambdaEvent(make([]byte, 0, 1024+len(e.Body))), asynchronous)
	switch {
	case err != nil:
		return nil, err
	case e.Integration.Error != "":
		return nil, backendError("%s", e.Integration.Error)
	case asynchronous:
		return &Response{Status: http.StatusAccepted}, nil
	}
	return parseProxyResult(result.Payload)
}

// isAsynchronous is the function of that name for the headers that are mapped from
// an event.
func (b *lambdaProxy) isAsynchronous(e *event.Event) (bool, *failure.Error) {
	if b.requests == nil {
		return false, nil
	}
	request, err := b.requests.MapParameters(newExchange(e))
	if err != nil {
		return false, err
	}
	return isAsynchronous(request.Header)
}
