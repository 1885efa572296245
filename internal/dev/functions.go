package dev

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/dynamodb"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/localaws"
	"github.com/stagedoor/stagedoor/internal/template"
)

// openEndpoint opens what functions reach instead of AWS: the gateway's
// @connections, and the built-in DynamoDB unless another is configured.
func (s *Server) openEndpoint(authority *certificate.Authority) (err error) {
	options := localaws.Options{
		Gateway: s.gateway, GatewayHost: s.domains.contains, TLSConfig: authority.TLSConfig(),
	}
	if !s.config.dynamoDBElsewhere() {
		s.database = dynamodb.New()
		options.DynamoDB = gateway.Guarded(s.webGuard(), s.database)
	}
	if s.endpoint, err = localaws.Listen("127.0.0.1:0", options); err != nil {
		return err
	}
	s.parts.Add(func(ctx context.Context) { _ = s.endpoint.Close(ctx) }) // cut short by ctx
	return nil
}

// openFunctions makes what functions run in. None runs yet.
func (s *Server) openFunctions(authority *certificate.Authority) error {
	bundle := filepath.Join(s.config.CacheDir, "ca", "bundle.pem")
	if err := authority.WriteBundle(bundle); err != nil {
		return err
	}
	address := s.endpoint.Addr().String()
	hosts := []string{"*.execute-api.*.amazonaws.com", "*.execute-api.*.amazonaws.com.cn"}
	environment := map[string]string{}
	if s.database != nil {
		hosts = append(hosts, "dynamodb.*.amazonaws.com")
		environment[endpointVariable("dynamodb")] = "http://" + address
	}
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
		environment["AWS_ENDPOINT_URL"] = url
	}
	for service, endpoint := range s.config.endpoints {
		environment[endpointVariable(service)] = endpoint.String()
	}
	s.functions = lambda.NewHost(lambda.Options{
		Region: s.config.Region, AccountID: s.config.AccountID, Environment: environment,
		CacheDir: s.config.CacheDir, Log: s.narrator.Output, NotCode: s.template.has,
		Redirect: lambda.Redirect{
			Address: address, Hosts: hosts,
			CAFile: authority.CertificatePath(), CABundleFile: bundle,
		},
	})
	s.parts.Add(func(ctx context.Context) { _ = s.functions.Close(ctx) }) // cut short by ctx
	return nil
}

// runFunctions runs the functions of a template, here as handlers or as processes,
// but for those that are called at endpoints of their own.
func (s *Server) runFunctions(loaded []*template.Function) {
	handlers, endpoints := s.config.Handlers, maps.Clone(s.config.functions)
	var processes []*template.Function
	for _, f := range handlers.Others(loaded) {
		at, elsewhere := endpoints[f.Name]
		if !elsewhere {
			at, elsewhere = s.config.functions[f.LogicalID]
		}
		if elsewhere {
			endpoints[f.Name] = at
			continue
		}
		processes = append(processes, f)
	}
	s.backends.Functions.SetEndpoints(endpoints)
	s.functions.Update(append(handlers.Functions(loaded), backends.Runnable(processes, s.config.CacheDir)...))
}

// unknownFunctions calls functions that the template does not define, at AWS
// Lambda. It is a lambda.Invoker.
type unknownFunctions struct {
	aws lambda.Invoker
	// pretended is the account of what only a template pretends to be at AWS,
	// between colons; nothing of it is looked for there. Empty: there is none.
	pretended string
}

// newUnknownFunctions returns functions at AWS or the endpoint of Lambda that is
// configured.
func newUnknownFunctions(accountID string, aws *integration.RemoteLambda) unknownFunctions {
	u := unknownFunctions{aws: aws}
	if accountID == pretendedAccount && !aws.Services.HasEndpoint("lambda") {
		u.pretended = ":" + pretendedAccount + ":"
	}
	return u
}

// Invoke implements lambda.Invoker.
func (u unknownFunctions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if u.pretended != "" && strings.Contains(call.FunctionARN, u.pretended) {
		return lambda.Result{}, lambda.ErrNotFound
	}
	result, err := u.aws.Invoke(ctx, call)
	if err != nil && ctx.Err() == nil && !errors.Is(err, lambda.ErrNotFound) {
		known := *integration.FailureOf(err)
		known.Reason = "the template has no function " + apigw.FunctionName(call.FunctionARN) + ", and elsewhere: " + known.Reason
		err = &known
	}
	return result, err
}
