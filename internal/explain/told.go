package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// told are backends that send nothing. They answer what they are told to; without that,
// the event ends where their answer would come.
type told struct {
	subject *Subject
	answer  *Answer
	context []event.Parameter // that authorizers return

	http     *httpclient.Client
	services *awsservice.Client
}

// errNotAsked ends an event where a backend would answer.
var errNotAsked = &failure.Error{Kind: failure.Internal, Reason: "the backend is not asked"}

// compiler makes what the stage is compiled with.
func (t *told) compiler(s *Subject) *plan.Compiler {
	t.http = httpclient.New(httpclient.Options{Instead: t.callHTTP})
	t.services = awsservice.New(awsservice.Options{
		Transport: transport(t.callService), IgnoreRoles: true,
		Getenv: func(string) string { return "" }, // AWS's own endpoints
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "explain", SecretAccessKey: "explain"}, nil // nothing is sent that they sign
		}),
	})
	return &plan.Compiler{
		Backends: &integration.Builder{
			Functions: invoker(t.callFunction), Services: t.services, HTTP: t.http,
			LinkOf: func(string) *httpclient.Client { return t.http },
			Region: s.Region, AccountID: s.AccountID,
		},
		Authorizers: &authorizer.Builder{
			Functions: invoker(t.callAuthorizer), Region: s.Region, Account: s.AccountID,
			Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("nothing is sent") }),
		},
		Region: s.Region,
		Rates:  usage.AccountRates{Requests: usage.AWSRequests, Connects: usage.AWSConnects},
	}
}

func (t *told) close() {
	t.http.Close()
	t.services.Close()
}

// status is that of an answer over HTTP.
func (a *Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

// header is that of an answer over HTTP.
func (a *Answer) header() http.Header {
	kind := "text/plain; charset=utf-8"
	if json.Valid([]byte(a.Body)) {
		kind = "application/json"
	}
	return http.Header{"Content-Type": {kind}}
}

func (t *told) callHTTP(context.Context, *httpclient.Request) (*httpclient.Response, error) {
	if t.answer == nil {
		return nil, errNotAsked
	}
	return &httpclient.Response{Status: t.answer.status(), Header: t.answer.header(), Body: []byte(t.answer.Body)}, nil
}

// transport is an http.RoundTripper that sends nothing.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func (t *told) callService(r *http.Request) (*http.Response, error) {
	if t.answer == nil {
		return nil, errNotAsked
	}
	return &http.Response{
		StatusCode: t.answer.status(), Header: t.answer.header(), Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader([]byte(t.answer.Body))), ContentLength: int64(len(t.answer.Body)),
	}, nil
}

// invoker is a lambda.Invoker.
type invoker func(lambda.Invocation) (lambda.Result, error)

// Invoke implements lambda.Invoker.
func (f invoker) Invoke(_ context.Context, call lambda.Invocation) (lambda.Result, error) {
	return f(call)
}

// invocationID is the request id of every call of a function.
const invocationID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"

// callFunction has a function return the answer. One with an errorMessage is a failure, as
// of a function that throws.
func (t *told) callFunction(call lambda.Invocation) (lambda.Result, error) {
	if t.answer == nil {
		return lambda.Result{}, errNotAsked
	}
	result := lambda.Result{RequestID: invocationID}
	if call.Event {
		return result, nil
	}
	result.Payload = []byte(t.answer.Body)
	var thrown struct {
		Message *string `json:"errorMessage"`
	}
	switch {
	case json.Unmarshal(result.Payload, &thrown) == nil && thrown.Message != nil:
		result.FunctionError = "Unhandled"
	case t.answer.Status != 0 && t.isProxy(&call):
		result.Payload, _ = json.Marshal(struct {
			Status int    `json:"statusCode"`
			Body   string `json:"body"`
		}{t.answer.Status, t.answer.Body})
	case !json.Valid(result.Payload):
		result.Payload, _ = json.Marshal(t.answer.Body) // a function that returns a text
	}
	return result, nil
}

// isProxy reports whether a function is called by a proxy integration.
func (t *told) isProxy(call *lambda.Invocation) bool {
	_, key, _ := strings.Cut(call.Caller.SourceARN, "/")
	_, key, _ = strings.Cut(key, "/")
	i := t.subject.integration(key)
	return i != nil && i.Type().Proxy
}
