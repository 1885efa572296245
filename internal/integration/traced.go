package integration

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// What is in this file is called for events that have a trace only.

// traceRequest notes a request to an HTTP endpoint.
func traceRequest(t *trace.Trace, began time.Time, o *httpclient.Request) {
	step := trace.Request{Began: began, Kind: trace.HTTP, Method: o.Method, URI: o.URL.Redacted(), Body: t.Payload(o.Body)}
	if t.Keep > 0 {
		for f := range o.Fields() {
			step.Header = append(step.Header, trace.Field{Name: f.Name, Value: t.Text(f.Value)})
		}
	}
	t.Add(step)
}

// traceInvocation notes a call of a function, wherever that runs, as the request that
// AWS Lambda would get.
func traceInvocation(t *trace.Trace, began time.Time, call *lambda.Invocation, uri string) {
	step := trace.Request{Began: began, Kind: trace.Lambda, Method: http.MethodPost, URI: uri, Body: t.Payload(call.Payload)}
	if t.Keep > 0 {
		for _, f := range invocationHeader(call) {
			step.Header = append(step.Header, trace.Field{Name: f.Name, Value: t.Text(f.Value)})
		}
	}
	t.Add(step)
}

// trace notes a request to a service. One that cannot be made is not noted: the call
// says why.
func (s *serviceEndpoint) trace(ctx context.Context, t *trace.Trace, began time.Time, o *awsservice.Request) {
	request, body, err := s.services.Unsigned(ctx, o)
	if err != nil {
		return
	}
	step := trace.Request{Began: began, Kind: trace.AWS, Method: request.Method, URI: request.URL.Redacted(), Body: t.Payload(body)}
	if t.Keep > 0 {
		step.Header = traceHeader(t, request.Header)
	}
	t.Add(step)
}

// traceResponse notes what an endpoint answered.
func traceResponse(e *event.Event, began time.Time, r *httpclient.Response) {
	t := e.Trace
	step := trace.Response{
		Began: began, Took: e.Integration.Latency, Status: r.Status, Body: t.Payload(r.Body), RequestID: e.Integration.RequestID,
	}
	if t.Keep > 0 {
		step.Header = traceHeader(t, r.Header)
	}
	t.Add(step)
}

// traceResult notes what a function answered.
func traceResult(e *event.Event, began time.Time, result *lambda.Result) {
	t := e.Trace
	step := trace.Response{
		Began: began, Took: e.Integration.Latency, Status: e.Integration.Status, Body: t.Payload(result.Payload), RequestID: result.RequestID,
	}
	if result.FunctionError != "" {
		step.FunctionError = errorMessage(result.Payload)
	}
	if t.Keep > 0 {
		step.Header = []trace.Field{{Name: "X-Amzn-Requestid", Value: result.RequestID}}
		if result.FunctionError != "" {
			step.Header = append(step.Header, trace.Field{Name: "X-Amz-Function-Error", Value: result.FunctionError})
		}
	}
	t.Add(step)
}

// traceNoResponse notes that a call was not answered.
func traceNoResponse(e *event.Event, began time.Time, why *failure.Error) {
	e.Trace.Add(trace.Response{Began: began, Took: e.Integration.Latency, Error: why.Reason})
}

// traceHeader is a header, sorted by names.
func traceHeader(t *trace.Trace, header http.Header) []trace.Field {
	fields := make([]trace.Field, 0, len(header))
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, trace.Field{Name: name, Value: t.Text(value)})
		}
	}
	slices.SortStableFunc(fields, func(a, b trace.Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}
