package stagedoor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// startBackends makes what integrations call. Functions and the database run
// already.
func (d *dev) startBackends() error {
	endpoints := maps.Clone(d.config.Endpoints)
	if d.database != nil {
		if endpoints == nil {
			endpoints = map[string]string{}
		}
		endpoints["dynamodb"] = "http://" + d.endpoint.Addr().String()
	}
	services, err := d.newServices(endpoints)
	if err != nil {
		return err
	}
	router := &functionRouter{
		local: d.functions, elsewhere: &integration.RemoteLambda{Services: services, Region: d.config.Region},
		named: map[string]lambda.Invoker{},
	}
	if d.config.AccountID == pretendedAccount && !services.HasEndpoint("lambda") {
		router.pretended = ":" + pretendedAccount + ":"
	}
	for name, text := range d.config.FunctionEndpoints {
		base, function := splitInvokeURL(text)
		client, err := d.newServices(map[string]string{"lambda": base})
		if err != nil {
			return fmt.Errorf("function %s: %w", name, err)
		}
		router.named[name] = &integration.RemoteLambda{Services: client, Region: d.config.Region, FunctionName: function}
	}
	b := d.compiler.Backends
	b.Services, b.Functions = services, router
	return nil
}

// newServices makes a client of AWS services. As functions do here, it uses the
// developer's own credentials, not the roles that the template names: these
// exist nowhere.
func (d *dev) newServices(endpoints map[string]string) (*awsservice.Client, error) {
	client, err := awsservice.New(awsservice.Options{Endpoints: endpoints, IgnoreRoles: true, OpenEndpoints: true})
	if err == nil {
		d.services = append(d.services, client)
	}
	return client, err
}

// stopBackends closes the connections to backends.
func (d *dev) stopBackends() {
	d.compiler.Backends.HTTP.CloseIdleConnections()
	for _, client := range d.services {
		client.Close()
	}
}

// functionRouter calls a function where it runs: at an endpoint of its own, on
// this machine, or else at Lambda's.
type functionRouter struct {
	named     map[string]lambda.Invoker // by the function's name
	local     lambda.Invoker
	elsewhere lambda.Invoker
	// pretended is the account of what only a template pretends to be at AWS,
	// between colons; nothing of it is looked for there. Empty: there is none.
	pretended string
}

// Invoke implements lambda.Invoker.
func (f *functionRouter) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if remote, found := f.named[functionName(call.FunctionARN)]; found {
		return remote.Invoke(ctx, call)
	}
	result, err := f.local.Invoke(ctx, call)
	if !errors.Is(err, lambda.ErrNotFound) || f.pretended != "" && strings.Contains(call.FunctionARN, f.pretended) {
		return result, err
	}
	result, err = f.elsewhere.Invoke(ctx, call)
	if err != nil && ctx.Err() == nil && !errors.Is(err, lambda.ErrNotFound) {
		known := *integration.AsError(err)
		known.Reason = "the template has no function " + functionName(call.FunctionARN) + ", and elsewhere: " + known.Reason
		err = &known
	}
	return result, err
}

// functionName is the name in a function's ARN, or in a name with a qualifier.
func functionName(arn string) string {
	if _, after, found := strings.Cut(arn, ":function:"); found {
		arn = after
	}
	name, _, _ := strings.Cut(arn, ":")
	return name
}

var invokePath = regexp.MustCompile(`^(.*)/2015-03-31/functions/([^/]+)/invocations/?$`)

// splitInvokeURL reads the URL of an Invoke endpoint. With the operation's whole
// path, as for AWS's runtime interface emulator, it says also what the function
// is called there.
func splitInvokeURL(text string) (base, function string) {
	if match := invokePath.FindStringSubmatch(text); match != nil {
		return match[1], match[2]
	}
	return text, ""
}
