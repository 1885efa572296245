package backends

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const arn = "arn:aws:lambda:us-east-1:123456789012:function:"

// running is an Invoker of which some functions are known.
type running struct {
	where string
	arns  []string
}

func (r running) Invoke(_ context.Context, call lambda.Invocation) (lambda.Result, error) {
	for _, known := range r.arns {
		if known == call.FunctionARN || known == "*" {
			return lambda.Result{Payload: []byte(r.where)}, nil
		}
	}
	return lambda.Result{}, fmt.Errorf("%s: %w", call.FunctionARN, lambda.ErrNotFound)
}

// A function is called at its endpoint, by whatever it is named; else on this
// machine, and else outside.
func TestFunctionsRunWhereTheyAre(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "endpoint ", r.URL.Path)
	}))
	t.Cleanup(server.Close)
	at, err := awsservice.ParseInvokeEndpoint(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	named, err := awsservice.ParseInvokeEndpoint(server.URL + "/2015-03-31/functions/other/invocations")
	if err != nil {
		t.Fatal(err)
	}
	b := New(Options{
		Region: "us-east-1", First: running{"first", []string{arn + "by-arn:own"}}, Local: running{"local", []string{arn + "here"}},
		Outside: func(*integration.RemoteLambda) lambda.Invoker { return running{"outside", []string{"*"}} },
	})
	t.Cleanup(b.Close)
	b.Functions.SetEndpoints(map[string]awsservice.InvokeEndpoint{"by-name": at, arn + "by-arn": named})
	for function, want := range map[string]string{
		arn + "by-name":      "endpoint /2015-03-31/functions/" + arn + "by-name/invocations",
		arn + "by-name:live": "endpoint /2015-03-31/functions/" + arn + "by-name:live/invocations",
		arn + "by-arn":       "endpoint /2015-03-31/functions/other/invocations",
		arn + "by-arn:7":     "endpoint /2015-03-31/functions/other/invocations",
		arn + "by-arn:own":   "first",
		"by-arn":             "outside", // what has an endpoint is of one account
		arn + "here":         "local",
		arn + "there":        "outside",
	} {
		result, err := b.Functions.Invoke(t.Context(), lambda.Invocation{FunctionARN: function, Payload: []byte("{}")})
		if err != nil || string(result.Payload) != want {
			t.Errorf("%s: %q %v, want %q", function, result.Payload, err, want)
		}
	}
}

// Endpoints that stay keep their connections.
func TestEndpointsAreKept(t *testing.T) {
	t.Parallel()
	b := New(Options{Region: "us-east-1"})
	t.Cleanup(b.Close)
	at := func(host, name string) awsservice.InvokeEndpoint {
		return awsservice.InvokeEndpoint{Lambda: &url.URL{Scheme: "http", Host: host}, Name: name}
	}
	f := b.Functions
	f.SetEndpoints(map[string]awsservice.InvokeEndpoint{"a": at("a", "")})
	before := f.endpointOf("a")
	f.SetEndpoints(map[string]awsservice.InvokeEndpoint{"a": at("a", ""), "b": at("b", "function")})
	if f.endpointOf("a") != before || f.endpointOf("b").FunctionName != "function" {
		t.Error("what did not change was made anew, or a name is lost")
	}
	f.SetEndpoints(map[string]awsservice.InvokeEndpoint{"a": at("c", "")})
	if f.endpointOf("a") == before || f.endpointOf("b") != nil {
		t.Error("what changed was kept")
	}
}
