package backends

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// Functions calls each function where it runs: at an endpoint of its own, on this
// machine, or else at AWS Lambda. It is a lambda.Invoker, and safe for concurrent
// use.
type Functions struct {
	region    string
	bounds    turnstile.Bounds // of each endpoint
	endpoints atomic.Pointer[map[string]*endpoint]
	first     lambda.Invoker // nil: there are none
	local     lambda.Invoker // nil: there are none
	outside   lambda.Invoker
}

// endpoint is where one function is called.
type endpoint struct {
	at awsservice.InvokeEndpoint
	*integration.RemoteLambda
}

// newFunctions returns functions of which none has an endpoint of its own.
func newFunctions(o Options, aws *integration.RemoteLambda) *Functions {
	f := &Functions{region: o.Region, bounds: o.Bounds, first: o.First, local: o.Local, outside: aws}
	if o.Outside != nil {
		f.outside = o.Outside(aws)
	}
	f.endpoints.Store(new(map[string]*endpoint))
	return f
}

// SetEndpoints puts the endpoints of functions in the place of all before, by the
// functions' names or ARNs. Connections to those that stay are kept. It is called
// by one goroutine at a time.
func (f *Functions) SetEndpoints(endpoints map[string]awsservice.InvokeEndpoint) {
	before := *f.endpoints.Load()
	next := make(map[string]*endpoint, len(endpoints))
	for name, at := range endpoints {
		if e := before[name]; e != nil && e.at.Equal(at) {
			next[name] = e
			continue
		}
		next[name] = f.newEndpoint(at)
	}
	f.endpoints.Store(&next)
	for name, e := range before {
		if next[name] != e {
			e.Services.Close()
		}
	}
}

func (f *Functions) newEndpoint(at awsservice.InvokeEndpoint) *endpoint {
	services := awsservice.New(awsservice.Options{
		Endpoints: map[string]*url.URL{"lambda": at.Lambda}, OpenEndpoints: true, Bounds: f.bounds,
	})
	return &endpoint{at, &integration.RemoteLambda{Services: services, Region: f.region, FunctionName: at.Name}}
}

// Invoke implements lambda.Invoker.
func (f *Functions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if f.first != nil {
		if result, err := f.first.Invoke(ctx, call); !errors.Is(err, lambda.ErrNotFound) {
			return result, err
		}
	}
	if e := f.endpointOf(call.FunctionARN); e != nil {
		return e.Invoke(ctx, call)
	}
	if f.local != nil {
		if result, err := f.local.Invoke(ctx, call); !errors.Is(err, lambda.ErrNotFound) {
			return result, err
		}
	}
	return f.outside.Invoke(ctx, call)
}

// endpointOf returns the endpoint of a function by its ARN, the ARN without a
// qualifier or its name, and nil where it has none.
func (f *Functions) endpointOf(arn string) *endpoint {
	endpoints := *f.endpoints.Load()
	if len(endpoints) == 0 {
		return nil
	}
	for _, name := range [...]string{arn, apigw.UnqualifiedFunction(arn), apigw.FunctionName(arn)} {
		if e := endpoints[name]; e != nil {
			return e
		}
	}
	return nil
}
