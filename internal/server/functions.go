package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/localaws"
	"github.com/stagedoor/stagedoor/internal/template"
)

// fileFunctions are the functions of the configuration's apis, which run as
// processes of this machine. The zero value runs none.
type fileFunctions struct {
	arns atomic.Pointer[map[string]bool] // of those that are called here

	host     *lambda.Host
	endpoint *localaws.Endpoint
	key      *apigw.AccessKey // that the functions sign with

	temporary string // the folder of what they need, where nothing is kept; else empty
}

// fileFunctionsSource is where the functions' own access key comes from.
const fileFunctionsSource identity.Source = "the functions of the configuration"

// useFunctions runs the functions of an application, and none that are not in it.
// What runs functions is started with the first of them.
func (s *Server) useFunctions(app *template.Application) error {
	if app == nil {
		return nil
	}
	s.describeHandlers(app)
	processes := s.options.Handlers.Others(app.Functions)
	if len(processes) == 0 && s.functions.host == nil {
		return nil
	}
	if s.functions.host == nil {
		if err := s.startFunctions(); err != nil {
			return fmt.Errorf("the functions of the configuration: %w", err)
		}
	}
	if err := s.permitFunctions(app); err != nil {
		return err
	}
	arns := map[string]bool{}
	for _, function := range processes {
		arns[function.ARN] = true
	}
	s.functions.host.Update(backends.Runnable(processes, s.functionsFolder()))
	s.functions.arns.Store(&arns)
	s.functions.host.Prepare()
	return nil
}

// functionsFolder is where what functions need is kept: builds, SDKs, an authority.
func (s *Server) functionsFolder() string {
	if s.functions.temporary != "" {
		return s.functions.temporary
	}
	return filepath.Join(s.config.Data, "functions")
}

// startFunctions starts what functions run in. They reach @connections by the
// host names of their events, as at AWS, wherever these lead otherwise.
func (s *Server) startFunctions() error {
	f := &s.functions
	if s.options.InMemory && f.temporary == "" {
		var err error
		if f.temporary, err = os.MkdirTemp("", "stagedoor-functions-*"); err != nil {
			return err
		}
	}
	folder := s.functionsFolder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	authority, err := certificate.Open(filepath.Join(folder, "ca"))
	if err != nil {
		return err
	}
	bundle := filepath.Join(folder, "ca", "bundle.pem")
	if err := authority.WriteBundle(bundle); err != nil {
		return err
	}
	if f.key, err = identity.NewAccessKey("functions", nil, time.Now(), time.Time{}); err != nil {
		return err
	}
	f.endpoint, err = localaws.Listen("127.0.0.1:0", localaws.Options{
		Gateway: s.gateway, GatewayHost: s.config.APIEndpoint.HasHost, TLSConfig: authority.TLSConfig(), Log: s.log,
	})
	if err != nil {
		return err
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") != "" || os.Getenv("AWS_PROFILE") != "" {
		s.log.Warn("functions have the AWS credentials of the gateway's environment: what they push is refused unless these are among the gateway's credentials as well")
	}
	hosts := []string{"*.execute-api.*.amazonaws.com", "*.execute-api.*.amazonaws.com.cn"}
	if pattern := s.config.APIEndpoint.HostPattern(); pattern != "" {
		hosts = append(hosts, pattern)
	}
	f.host = lambda.NewHost(lambda.Options{
		Region: s.config.Region, AccountID: s.config.Account, CacheDir: folder, Log: s.functionLine,
		AccessKeyID: f.key.AccessKeyId, SecretAccessKey: f.key.SecretAccessKey,
		Redirect: lambda.Redirect{
			Address: f.endpoint.Addr().String(), Hosts: hosts, CAFile: authority.CertificatePath(), CABundleFile: bundle,
		},
	})
	return nil
}

// permitFunctions lets the functions push to the APIs of their file, and nothing
// else.
func (s *Server) permitFunctions(app *template.Application) error {
	var resources []string
	for _, a := range app.APIs {
		resources = append(resources, identity.ConnectionsOf(s.config.Region, s.config.Account, a.API.ApiId))
	}
	policies := []string{}
	if len(resources) > 0 {
		policies = append(policies, allow(identity.ActionManageConnections, resources))
	}
	return s.access.directory.Replace(fileFunctionsSource, []identity.Credential{{
		User: s.functions.key.UserName, AccessKeyID: s.functions.key.AccessKeyId,
		Secret: identity.Secret(s.functions.key.SecretAccessKey), Policies: policies,
	}})
}

// keys is how many access keys the functions have.
func (f *fileFunctions) keys() int {
	if f.key == nil {
		return 0
	}
	return 1
}

// functionLine logs a line that a function printed, or that is said of it.
func (s *Server) functionLine(line lambda.LogLine) {
	if line.Notice {
		s.log.Warn("function", "function", line.Function, "requestId", line.RequestID, "notice", line.Text)
		return
	}
	s.log.Info("function", "function", line.Function, "requestId", line.RequestID, "output", line.Text)
}

// Invoke implements lambda.Invoker: lambda.ErrNotFound for what is no function of
// the configuration.
func (f *fileFunctions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if arns := f.arns.Load(); arns == nil || !(*arns)[apigw.UnqualifiedFunction(call.FunctionARN)] {
		return lambda.Result{}, lambda.ErrNotFound
	}
	return f.host.Invoke(ctx, call)
}

// stop ends all functions. Nobody calls them any more.
func (f *fileFunctions) stop(ctx context.Context) error {
	var errHost, errEndpoint, errFolder error
	if f.host != nil {
		errHost = f.host.Close(ctx)
	}
	if f.endpoint != nil {
		errEndpoint = f.endpoint.Close(ctx)
	}
	if f.temporary != "" {
		errFolder = os.RemoveAll(f.temporary)
	}
	return errors.Join(errHost, errEndpoint, errFolder)
}

// allow is an IAM policy that allows one action.
func allow(action string, resources []string) string {
	type statement struct {
		Effect, Action string
		Resource       []string
	}
	document, _ := json.Marshal(struct { // texts always marshal
		Version   string
		Statement statement
	}{"2012-10-17", statement{"Allow", action, resources}})
	return string(document)
}
