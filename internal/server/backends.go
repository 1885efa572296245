package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// backendSet is what integrations reach: AWS services and functions, at AWS or
// at the endpoints of the configuration, and HTTP backends.
type backendSet struct {
	services  *awsservice.Client
	functions *remoteFunctions
	http      *httpclient.Client
	// authorizers are called where backends are.
	authorizers *authorizer.Builder
	links       *integration.Links // those of the store
	builder     *integration.Builder
}

func newBackends(c *config.Config) (*backendSet, error) {
	bounds := turnstile.Bounds{Calls: c.Backends.Connections, Waiting: c.Backends.Waiting}
	if bounds.Waiting == 0 {
		bounds.Waiting = -1
	}
	if limit := descriptors.Limit(); limit > 0 { // one backend's sockets leave those of others and of clients
		bounds.Calls = min(bounds.Calls, max(1, limit/4))
	}
	services := awsservice.New(awsservice.Options{Endpoints: c.Endpoints, Bounds: bounds})
	authorities, err := backends.TrustedCAs(c.Backends.CA)
	if err != nil {
		return nil, fmt.Errorf("backends.ca: %w", err)
	}
	b := &backendSet{
		services: services, http: httpclient.New(httpclient.Options{RootCAs: authorities, Bounds: bounds}),
		functions: &remoteFunctions{region: c.Region, bounds: bounds, aws: &integration.RemoteLambda{Services: services, Region: c.Region}},
	}
	b.functions.set(c.Functions)
	b.links = integration.NewLinks(c.VPCLinks, httpclient.Options{RootCAs: authorities, Bounds: bounds})
	b.builder = &integration.Builder{
		Functions: b.functions, Services: services, HTTP: b.http, Links: map[string]*httpclient.Client{}, LinkOf: b.links.Client,
		Region: c.Region, AccountID: c.Account,
	}
	b.authorizers = &authorizer.Builder{Functions: b.functions, Region: c.Region, Account: c.Account}
	for id, address := range c.VPCLinks {
		b.builder.Links[id] = httpclient.New(httpclient.Options{RootCAs: authorities, Address: string(address), Bounds: bounds})
	}
	return b, nil
}

// close closes idle connections. Nothing is called any more.
func (b *backendSet) close() {
	b.functions.set(nil)
	b.services.Close()
	b.http.Close()
	b.links.Close()
	for _, link := range b.builder.Links {
		link.Close()
	}
}

// remoteFunctions calls a function where the configuration says that it is, at a
// URL or in its apis, and at AWS Lambda where it says nothing. It is a
// lambda.Invoker.
type remoteFunctions struct {
	region string
	bounds turnstile.Bounds // of each function
	aws    lambda.Invoker
	here   lambda.Invoker                       // those that are Go code of this process; nil: none are
	file   lambda.Invoker                       // those of the configuration's apis; nil: none are
	own    atomic.Pointer[map[string]*endpoint] // by name or ARN
}

// endpoint is where one function is called.
type endpoint struct {
	at awsservice.InvokeEndpoint
	*integration.RemoteLambda
}

// set puts the endpoints of functions into effect, by their names or ARNs.
func (f *remoteFunctions) set(endpoints map[string]awsservice.InvokeEndpoint) {
	before := f.own.Load()
	next := make(map[string]*endpoint, len(endpoints))
	for name, at := range endpoints {
		if before != nil && (*before)[name] != nil && (*before)[name].at.Equal(at) {
			next[name] = (*before)[name]
			continue
		}
		next[name] = f.endpoint(at)
	}
	f.own.Store(&next)
	if before == nil {
		return
	}
	for name, e := range *before {
		if next[name] != e {
			e.Services.Close()
		}
	}
}

// endpoint makes the client of an endpoint.
func (f *remoteFunctions) endpoint(at awsservice.InvokeEndpoint) *endpoint {
	services := awsservice.New(awsservice.Options{
		Endpoints: map[string]*url.URL{"lambda": at.Lambda}, OpenEndpoints: true, Bounds: f.bounds,
	})
	return &endpoint{at, &integration.RemoteLambda{Services: services, Region: f.region, FunctionName: at.Name}}
}

// Invoke implements lambda.Invoker.
func (f *remoteFunctions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if f.here != nil {
		if result, err := f.here.Invoke(ctx, call); !errors.Is(err, lambda.ErrNotFound) {
			return result, err
		}
	}
	own := *f.own.Load()
	for _, name := range []string{call.FunctionARN, apigw.UnqualifiedFunction(call.FunctionARN), apigw.FunctionName(call.FunctionARN)} {
		if e := own[name]; e != nil {
			return e.Invoke(ctx, call)
		}
	}
	if f.file != nil {
		if result, err := f.file.Invoke(ctx, call); !errors.Is(err, lambda.ErrNotFound) {
			return result, err
		}
	}
	return f.aws.Invoke(ctx, call)
}
