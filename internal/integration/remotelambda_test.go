package integration

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

const remoteARN = "arn:aws:lambda:eu-west-1:123456789012:function:remote"

// remote makes a RemoteLambda whose requests go to an endpoint, or through a
// transport.
func remote(t *testing.T, endpoint string, transport http.RoundTripper) *RemoteLambda {
	t.Helper()
	lambdaURL, err := awsservice.ParseEndpoint(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	services := awsservice.New(awsservice.Options{
		Endpoints:   map[string]*url.URL{"lambda": lambdaURL},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Transport:   transport,
		Getenv:      func(string) string { return "" },
	})
	t.Cleanup(services.Close)
	return &RemoteLambda{Services: services, Region: "us-east-1"}
}

// A real function behind the Invoke operation of the local Lambda.
func TestRemoteLambdaWithRealFunctions(t *testing.T) {
	t.Parallel()
	ran := filepath.Join(t.TempDir(), "ran")
	host := lambda.NewHost(lambda.Options{CacheDir: t.TempDir()})
	t.Cleanup(func() { _ = host.Close(context.WithoutCancel(t.Context())) })
	host.Update([]lambda.Function{{
		Name: "remote", Runtime: "nodejs22.x", Handler: "index.handler", Timeout: time.Minute,
		Environment: map[string]string{"RAN": ran},
		InlineCode: `exports.handler = async (event) => {
			if (event.fail) throw new RangeError("too far");
			if (event.leave) require("fs").writeFileSync(process.env.RAN, "yes");
			return { got: event, trace: process.env._X_AMZN_TRACE_ID };
		};`,
	}})
	server := httptest.NewServer(host)
	t.Cleanup(server.Close)
	l := remote(t, server.URL, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	result, err := l.Invoke(ctx, lambda.Invocation{FunctionARN: remoteARN, Payload: []byte(`{"a":1}`), TraceID: "Root=1-2-3"})
	if err != nil || !strings.Contains(string(result.Payload), `"got":{"a":1},"trace":"Root=1-2-3`) || result.FunctionError != "" || result.RequestID == "" {
		t.Errorf("success: %s %+v %v", result.Payload, result, err)
	}
	result, err = l.Invoke(ctx, lambda.Invocation{FunctionARN: "remote", Payload: []byte(`{"fail":true}`)})
	if err != nil || result.FunctionError != "Unhandled" || errorMessage(result.Payload) != "too far" {
		t.Errorf("function error: %s %+v %v", result.Payload, result, err)
	}
	result, err = l.Invoke(ctx, lambda.Invocation{FunctionARN: remoteARN, Payload: []byte(`{"leave":true}`), Event: true})
	if err != nil || len(result.Payload) > 0 || result.RequestID == "" {
		t.Errorf("event: %s %+v %v", result.Payload, result, err)
	}
	for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
		if _, err := os.Stat(ran); err == nil {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the event did not reach the function")
		}
	}
	if _, err = l.Invoke(ctx, lambda.Invocation{FunctionARN: remoteARN + "er", Payload: []byte(`{}`)}); !errors.Is(err, lambda.ErrNotFound) {
		t.Errorf("no such function: %v", err)
	}
	if _, err = l.Invoke(ctx, lambda.Invocation{FunctionARN: "../remote"}); !isFailure(err, failure.Configuration) {
		t.Errorf("no name of a function: %v", err)
	}
}

func isFailure(err error, kind failure.Kind) bool {
	failed, ok := errors.AsType[*failure.Error](err)
	return ok && failed.Kind == kind
}

// Spec B.5: the call from gateway to Lambda.
func TestRemoteLambdaRequest(t *testing.T) {
	t.Parallel()
	sent := make(chan *http.Request, 1)
	l := remote(t, "http://lambda.test", roundTrip(func(r *http.Request) (*http.Response, error) {
		sent <- r
		return answer(200, "", "null"), nil
	}))
	call := lambda.Invocation{
		FunctionARN: remoteARN + ":live", Payload: []byte(`{}`), TraceID: "Root=1-2-3",
		Caller: lambda.Caller{APIID: "abcdef1234", RequestID: "Xyz=", SourceARN: "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/$connect"},
	}
	if _, err := l.Invoke(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	r := <-sent
	if want := "/2015-03-31/functions/" + remoteARN + ":live/invocations"; r.Method != http.MethodPost || r.URL.Path != want {
		t.Errorf("%s %s, want POST %s", r.Method, r.URL.Path, want)
	}
	for name, want := range map[string]string{
		"Accept":                        "application/json",
		"User-Agent":                    "AmazonAPIGateway_abcdef1234",
		"X-Amz-Content-Sha256":          "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
		"X-Amz-Invocation-Type":         "RequestResponse",
		"X-Amz-Source-Arn":              call.Caller.SourceARN,
		"X-Amzn-Apigateway-Api-Id":      "abcdef1234",
		"X-Amzn-Lambda-Integration-Tag": "Xyz=",
		"X-Amzn-Trace-Id":               "Root=1-2-3",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := r.Header.Get("Authorization"); !strings.Contains(got, "/eu-west-1/lambda/aws4_request") || r.Header.Get("X-Amz-Date") == "" {
		t.Errorf("Authorization: %s", got)
	}
	l.FunctionName = "function"
	if _, err := l.Invoke(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	if r = <-sent; r.URL.Path != "/2015-03-31/functions/function/invocations" {
		t.Errorf("a runtime emulator was asked for %s", r.URL.Path)
	}
}

// roundTrip is a far side without sockets, so that time can be simulated.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, errorType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {errorType}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// Throttles and failures of Lambda are tried again while there is time; what
// another attempt cannot change is told at once.
func TestRemoteLambdaRetries(t *testing.T) {
	t.Parallel()
	throttled := answerOf{429, "TooManyRequestsException:", `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}`}
	for name, test := range map[string]struct {
		answers  []answerOf // the last one again and again
		timeout  time.Duration
		attempts int
		failure  failure.Kind
		reason   string // empty: success
	}{
		"throttled, then not":        {[]answerOf{throttled, throttled, {200, "", `"done"`}}, 29 * time.Second, 3, 0, ""},
		"failed, then not":           {[]answerOf{{500, "ServiceException", `{"Message":"x"}`}, {200, "", `"done"`}}, 29 * time.Second, 2, 0, ""},
		"throttled for ever":         {[]answerOf{throttled}, 29 * time.Second, maxAttempts, failure.Backend, "Lambda answered 429 TooManyRequestsException: Rate Exceeded."},
		"throttled, no time":         {[]answerOf{throttled}, firstPause / 4, 1, failure.Backend, "Lambda answered 429"},
		"throttled, time for one":    {[]answerOf{throttled}, firstPause * 3 / 2, 2, failure.Backend, "Lambda answered 429"},
		"no permission":              {[]answerOf{{403, "AccessDeniedException", `{"Message":"not you"}`}}, time.Second, 1, failure.Configuration, "Lambda answered 403 AccessDeniedException: not you"},
		"payload too large":          {[]answerOf{{413, "RequestTooLargeException", `{}`}}, time.Second, 1, failure.Backend, "Lambda answered 413 RequestTooLargeException"},
		"something that is no error": {[]answerOf{{302, "", `<html>`}}, time.Second, 1, failure.Backend, "Lambda answered 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				l := remote(t, "http://lambda.test", roundTrip(func(*http.Request) (*http.Response, error) {
					a := test.answers[min(attempts, len(test.answers)-1)]
					attempts++
					return answer(a.status, a.errorType, a.body), nil
				}))
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				result, err := l.Invoke(ctx, lambda.Invocation{FunctionARN: remoteARN})
				if attempts != test.attempts {
					t.Errorf("%d attempts, want %d", attempts, test.attempts)
				}
				if test.reason == "" {
					if err != nil || string(result.Payload) != `"done"` {
						t.Errorf("%s %v", result.Payload, err)
					}
				} else if !isFailure(err, test.failure) || !strings.HasPrefix(FailureOf(err).Reason, test.reason) {
					t.Errorf("error %#v", err)
				}
			})
		})
	}
}

type answerOf struct {
	status          int
	errorType, body string
}

// The gateway that goes down does not wait for the next attempt.
func TestRemoteLambdaStopsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := remote(t, "http://lambda.test", roundTrip(func(*http.Request) (*http.Response, error) {
			time.AfterFunc(time.Millisecond, cancel)
			return answer(503, "", ""), nil
		}))
		if _, err := l.Invoke(ctx, lambda.Invocation{FunctionARN: remoteARN}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the context's", err)
		}
	})
}

// Spec C.4: what goes wrong on the way to a function, as AWS_PROXY tells it.
func TestRemoteLambdaFailuresBehindProxy(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	denied := roundTrip(func(*http.Request) (*http.Response, error) {
		return answer(403, "AccessDeniedException", `{"Message":"not you"}`), nil
	})
	for name, test := range map[string]struct {
		remote  *RemoteLambda
		failure failure.Kind
	}{
		"unreachable":   {remote(t, gone.URL, nil), failure.Backend},
		"no permission": {remote(t, "http://lambda.test", denied), failure.Configuration},
	} {
		backend := &lambdaProxy{&function{invoker: test.remote, arn: remoteARN}, nil, time.Minute}
		_, err := backend.Invoke(t.Context(), &event.Event{Connection: &event.Connection{Endpoint: new(event.Endpoint)}, Type: event.Message})
		if !isFailure(err, test.failure) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
