package dev

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/template"
)

// newBuilder makes what backends are built with. Functions and services are
// added when they run.
func newBuilder(c Config) (*integration.Builder, error) {
	authorities, err := backends.TrustedCAs(c.CAFile)
	if err != nil {
		return nil, err
	}
	b := &integration.Builder{
		HTTP:   httpclient.New(httpclient.Options{RootCAs: authorities}),
		Links:  map[string]*httpclient.Client{},
		Region: c.Region, AccountID: c.AccountID,
	}
	for id, text := range c.VPCLinks {
		address, err := setting.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("VPC link %s: %w", id, err)
		}
		b.Links[id] = httpclient.New(httpclient.Options{RootCAs: authorities, Address: string(address)})
	}
	return b, nil
}

// newCompiler makes what stages are compiled with. Authorizers are looked for
// where backends are.
func newCompiler(b *integration.Builder) *plan.Compiler {
	return &plan.Compiler{
		Backends: b, Region: b.Region,
		Authorizers: &authorizer.Builder{Functions: b.Functions, Region: b.Region, Account: b.AccountID},
	}
}

// startBackends makes what integrations call. Functions and the database run
// already.
func (d *dev) startBackends() {
	endpoints := maps.Clone(d.config.endpoints)
	if d.database != nil {
		endpoints["dynamodb"] = &url.URL{Scheme: "http", Host: d.endpoint.Addr().String()}
	}
	services := d.newServices(endpoints)
	router := &functionRouter{
		local: d.functions, elsewhere: &integration.RemoteLambda{Services: services, Region: d.config.Region},
		named: map[string]lambda.Invoker{},
	}
	if d.config.AccountID == pretendedAccount && !services.HasEndpoint("lambda") {
		router.pretended = ":" + pretendedAccount + ":"
	}
	for name, at := range d.config.functions {
		client := d.newServices(map[string]*url.URL{"lambda": at.Lambda})
		router.named[name] = &integration.RemoteLambda{Services: client, Region: d.config.Region, FunctionName: at.Name}
	}
	d.router = router
	b := d.compiler.Backends
	b.Services, b.Functions = services, router
	d.compiler.Authorizers.Functions = router
}

// newServices makes a client of AWS services. As functions do here, it uses the
// developer's own credentials, not the roles that the template names: these
// exist nowhere.
func (d *dev) newServices(endpoints map[string]*url.URL) *awsservice.Client {
	client := awsservice.New(awsservice.Options{Endpoints: endpoints, IgnoreRoles: true, OpenEndpoints: true})
	d.services = append(d.services, client)
	return client
}

// stopBackends closes the connections to backends.
func (d *dev) stopBackends() {
	d.compiler.Backends.HTTP.Close()
	for _, link := range d.compiler.Backends.Links {
		link.Close()
	}
	for _, client := range d.services {
		client.Close()
	}
}

// functionRouter calls a function where it runs: at an endpoint of its own, on
// this machine, or else at Lambda's.
type functionRouter struct {
	named     map[string]lambda.Invoker // by the function's name or its logical id
	local     lambda.Invoker
	elsewhere lambda.Invoker
	// logical are the ids that the template gives functions, by their names.
	logical atomic.Pointer[map[string]string]
	// pretended is the account of what only a template pretends to be at AWS,
	// between colons; nothing of it is looked for there. Empty: there is none.
	pretended string
}

// Invoke implements lambda.Invoker.
func (f *functionRouter) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if remote := f.remote(apigw.FunctionName(call.FunctionARN)); remote != nil {
		return remote.Invoke(ctx, call)
	}
	result, err := f.local.Invoke(ctx, call)
	if !errors.Is(err, lambda.ErrNotFound) || f.pretended != "" && strings.Contains(call.FunctionARN, f.pretended) {
		return result, err
	}
	result, err = f.elsewhere.Invoke(ctx, call)
	if err != nil && ctx.Err() == nil && !errors.Is(err, lambda.ErrNotFound) {
		known := *integration.FailureOf(err)
		known.Reason = "the template has no function " + apigw.FunctionName(call.FunctionARN) + ", and elsewhere: " + known.Reason
		err = &known
	}
	return result, err
}

// remote is where a function of a name has an endpoint of its own, or nil.
func (f *functionRouter) remote(name string) lambda.Invoker {
	if remote := f.named[name]; remote != nil {
		return remote
	}
	if logical := f.logical.Load(); logical != nil {
		return f.named[(*logical)[name]]
	}
	return nil
}

// follow takes the functions of a template, and gives those that run here.
func (f *functionRouter) follow(loaded []*template.Function) []*template.Function {
	logical := make(map[string]string, len(loaded))
	for _, function := range loaded {
		logical[function.Name] = function.LogicalID
	}
	f.logical.Store(&logical)
	return slices.DeleteFunc(slices.Clone(loaded), func(function *template.Function) bool {
		return f.remote(function.Name) != nil
	})
}
