package dev

import (
	"context"
	"maps"
	"net/url"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/plan"
)

// openBackends makes what integrations and authorizers call, and what stages are
// compiled with.
func (s *Server) openBackends() {
	endpoints := maps.Clone(s.config.endpoints)
	if s.database != nil {
		endpoints["dynamodb"] = &url.URL{Scheme: "http", Host: s.endpoint.Addr().String()}
	}
	s.backends = newBackends(s.config, endpoints, s.functions)
	s.parts.Add(func(context.Context) { s.backends.Close() })
	s.compiler = newCompiler(s.config, s.backends)
}

// newBackends makes what integrations and authorizers call: AWS services at their
// endpoints or at AWS, and the functions of this machine. As functions do here,
// integrations use the developer's own credentials, not the roles that the
// template names: these exist nowhere.
func newBackends(c Config, endpoints map[string]*url.URL, local lambda.Invoker) *backends.Backends {
	return backends.New(backends.Options{
		Region: c.Region, AccountID: c.AccountID,
		Services:    awsservice.Options{Endpoints: endpoints, IgnoreRoles: true, OpenEndpoints: true},
		Authorities: c.authorities, Links: c.links, Local: local,
		Outside: func(aws *integration.RemoteLambda) lambda.Invoker { return newUnknownFunctions(c.AccountID, aws) },
	})
}

// newCompiler makes what stages are compiled with.
func newCompiler(c Config, b *backends.Backends) *plan.Compiler {
	compiler := &plan.Compiler{Backends: b.Integrations, Authorizers: b.Authorizers, Region: c.Region, AccessLogs: c.accessLogs}
	if c.ExecutionLog != nil {
		compiler.ExecutionLogs = c.executionLogs
	}
	limits := c.limits
	if c.Limits != nil {
		c.Limits(&limits)
	}
	compiler.SetLimits(limits)
	return compiler
}
