package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/localaws"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/template"
)

// fileFunctions are the functions of the configuration's apis, which run as
// processes of this machine. It is a lambda.Invoker. What runs functions is
// started with the first of them.
type fileFunctions struct {
	config    *config.Config
	gateway   http.Handler
	directory *identity.Directory
	handlers  backends.Handlers // of functions that are none of these
	meter     func(function string) *metrics.Function
	log       *slog.Logger
	// folder is where what functions need is kept: builds, SDKs, an authority. Empty
	// stands for a temporary one.
	folder    string
	temporary string // the temporary folder; empty: there is none

	arns atomic.Pointer[map[string]bool] // of those that are called here; nil: none ever were

	// What runs functions; nil until the first is there.
	host     *lambda.Host
	endpoint *localaws.Endpoint
	key      *apigw.AccessKey // that the functions sign with
}

// fileFunctionsSource is where the functions' own access key comes from.
const fileFunctionsSource identity.Source = "the functions of the configuration"

// newFileFunctions makes functions of which none runs. They push through a
// gateway, with an access key of their own in the directory. Their meters count how they
// are called.
func newFileFunctions(c *config.Config, o Config, g http.Handler, directory *identity.Directory, meter func(string) *metrics.Function, log *slog.Logger) *fileFunctions {
	f := &fileFunctions{config: c, gateway: g, directory: directory, handlers: o.Handlers, meter: meter, log: log}
	if !o.InMemory {
		f.folder = filepath.Join(c.Data, "functions")
	}
	return f
}

// use runs the functions of an application, and none that are not in it. A nil
// application changes nothing.
func (f *fileFunctions) use(app *template.Application) error {
	if app == nil {
		return nil
	}
	processes := f.handlers.Others(app.Functions)
	if len(processes) == 0 && f.host == nil {
		return nil
	}
	if f.host == nil {
		if err := f.start(); err != nil {
			return fmt.Errorf("the functions of the configuration: %w", err)
		}
	}
	if err := f.permit(app); err != nil {
		return err
	}
	arns := map[string]bool{}
	for _, function := range processes {
		arns[function.ARN] = true
	}
	f.host.Update(backends.Runnable(processes, f.folder))
	f.arns.Store(&arns)
	f.host.Prepare()
	return nil
}

// start starts what functions run in. They reach @connections by the host names
// of their events, as at AWS, wherever these lead otherwise.
func (f *fileFunctions) start() error {
	if err := f.makeFolder(); err != nil {
		return err
	}
	authority, err := certificate.Open(filepath.Join(f.folder, "ca"))
	if err != nil {
		return err
	}
	bundle := filepath.Join(f.folder, "ca", "bundle.pem")
	if err := authority.WriteBundle(bundle); err != nil {
		return err
	}
	if f.key, err = identity.NewAccessKey("functions", nil, time.Now(), time.Time{}); err != nil {
		return err
	}
	f.endpoint, err = localaws.Listen("127.0.0.1:0", localaws.Options{
		Gateway: f.gateway, GatewayHost: f.config.APIEndpoint.HasHost, TLSConfig: authority.TLSConfig(), Log: f.log,
	})
	if err != nil {
		return err
	}
	if os.Getenv("AWS_ACCESS_KEY_ID") != "" || os.Getenv("AWS_PROFILE") != "" {
		f.log.Warn("functions have the AWS credentials of the gateway's environment: what they push is refused unless these are among the gateway's credentials as well")
	}
	hosts := []string{"*.execute-api.*.amazonaws.com", "*.execute-api.*.amazonaws.com.cn"}
	if pattern := f.config.APIEndpoint.HostPattern(); pattern != "" {
		hosts = append(hosts, pattern)
	}
	f.host = lambda.NewHost(lambda.Options{
		Region: f.config.Region, AccountID: f.config.Account, CacheDir: f.folder, Log: logLines(f.log),
		Meter:       func(function string) lambda.Meter { return f.meter(function) },
		AccessKeyID: f.key.AccessKeyId, SecretAccessKey: f.key.SecretAccessKey,
		Redirect: lambda.Redirect{
			Address: f.endpoint.Addr().String(), Hosts: hosts, CAFile: authority.CertificatePath(), CABundleFile: bundle,
		},
	})
	return nil
}

// makeFolder makes the folder of what functions need.
func (f *fileFunctions) makeFolder() (err error) {
	if f.folder != "" {
		return os.MkdirAll(f.folder, 0o700)
	}
	f.temporary, err = os.MkdirTemp("", "stagedoor-functions-*")
	f.folder = f.temporary
	return err
}

// permit lets the functions push to the APIs of their file, and nothing else.
func (f *fileFunctions) permit(app *template.Application) error {
	var resources []string
	for _, a := range app.APIs {
		resources = append(resources, identity.ConnectionsOf(f.config.Region, f.config.Account, a.API.ApiId))
	}
	policies := []string{}
	if len(resources) > 0 {
		policies = append(policies, allow(identity.ActionManageConnections, resources))
	}
	return f.directory.Replace(fileFunctionsSource, []identity.Credential{{
		User: f.key.UserName, AccessKeyID: f.key.AccessKeyId, Secret: identity.Secret(f.key.SecretAccessKey), Policies: policies,
	}})
}

// eachFunction calls do with each function that is called, and how many processes it has.
func (f *fileFunctions) eachFunction(do func(function string, processes int)) {
	if f.arns.Load() != nil { // there is a host
		f.host.EachFunction(do)
	}
}

// accessKeys returns how many access keys the functions have.
func (f *fileFunctions) accessKeys() int {
	if f.key == nil {
		return 0
	}
	return 1
}

// logLines returns what logs a line that a function printed, or that is said of it.
func logLines(log *slog.Logger) func(lambda.LogLine) {
	return func(line lambda.LogLine) {
		if line.Notice {
			log.Warn("function", "function", line.Function, "requestId", line.RequestID, "notice", line.Text)
			return
		}
		log.Info("function", "function", line.Function, "requestId", line.RequestID, "output", line.Text)
	}
}

// Invoke implements lambda.Invoker: lambda.ErrNotFound for what is no function of
// the configuration.
func (f *fileFunctions) Invoke(ctx context.Context, call lambda.Invocation) (lambda.Result, error) {
	if arns := f.arns.Load(); arns == nil || !(*arns)[apigw.UnqualifiedFunction(call.FunctionARN)] {
		return lambda.Result{}, lambda.ErrNotFound
	}
	return f.host.Invoke(ctx, call)
}

// close ends all functions. Nobody calls them any more.
func (f *fileFunctions) close(ctx context.Context) {
	var err error
	if f.host != nil {
		err = errors.Join(f.host.Close(ctx), f.endpoint.Close(ctx))
	}
	if f.temporary != "" {
		err = errors.Join(err, os.RemoveAll(f.temporary))
	}
	if err != nil {
		f.log.Warn("functions were ended while they ran", "error", err)
	}
}

// allow returns an IAM policy that allows one action.
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
