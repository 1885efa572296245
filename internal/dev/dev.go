// Package dev is `stagedoor dev` and `stagedoor check`: it runs an application from its
// SAM or CloudFormation template, from the short form of a stagedoor.yaml, or in
// front of one URL, and puts what changes in its files into effect.
package dev

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/dynamodb"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/localaws"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// shutdownTime is how long connections and functions have to end.
const shutdownTime = 10 * time.Second

// Run runs the application of a template until ctx ends: the gateway, the
// functions as local processes, the tables in a built-in DynamoDB. A changed
// template is put into effect while connections stay open. In the end
// connections are closed with 1001, $disconnect runs, and all processes end.
//
// A template that cannot be used at the start is an error, a mistake.List where it
// holds mistakes.
func Run(ctx context.Context, config Config) error {
	d, err := newDev(config, os.Environ())
	if err != nil {
		return err
	}
	defer d.stop()
	if err := d.start(ctx); err != nil {
		return err
	}
	d.watch(ctx)
	return nil
}

// dev is a running `stagedoor dev`. Members are set in the order in which they
// start, and ended in reverse.
type dev struct {
	config Config
	source *source.Source // of the application
	file   *config.Config // a stagedoor.yaml as it was read last; nil for other sources

	template *templateWatch           // nil: the application is in no file
	seen     atomic.Pointer[snapshot] // of the template and the code, last

	database  *dynamodb.Server // nil: elsewhere
	endpoint  *localaws.Endpoint
	functions *lambda.Host
	router    *functionRouter
	engine    *websocket.Engine
	gateway   *gateway.Gateway
	narrator  *narrator
	compiler  *plan.Compiler
	keys      *usage.Keys          // their counts last as long as the program
	services  []*awsservice.Client // that integrations call AWS by
	public    *listener.Server
	admin     *listener.Server
	domains   domainSet

	running atomic.Pointer[application] // what was put into effect last
}

func (d *dev) start(ctx context.Context) error {
	if err := d.startWatching(); err != nil {
		return err
	}
	loaded, err := d.load()
	if err != nil {
		return err
	}
	authority, err := certificate.Open(filepath.Join(d.config.CacheDir, "ca"))
	if err != nil {
		return err
	}
	if d.engine, err = websocket.NewEngine(websocket.Options{}); err != nil {
		return err
	}
	d.narrator = newNarrator(d.config.Reporter, d.connectURLs)
	d.narrator.deliberate = d.isShort()
	d.gateway = gateway.New(gateway.Options{
		Engine: d.engine, Recorder: d.narrator, Node: 1, Fallback: http.HandlerFunc(d.servePage),
		Guards: gateway.Guards{Unsigned: true, Visitors: d.webGuard(), Keys: d.keys},
	})
	if err := d.startEndpoint(authority); err != nil {
		return err
	}
	if err := d.startFunctions(authority); err != nil {
		return err
	}
	d.startBackends()
	if d.public, err = listen(ctx, d.config.Listen, http.HandlerFunc(d.servePublic), authority.TLSConfig()); err != nil {
		return err
	}
	if d.admin, err = listen(ctx, d.config.Admin, d.adminHandler(), nil); err != nil {
		return err
	}
	described, err := d.apply(loaded)
	if err != nil {
		return err
	}
	if d.template != nil {
		d.watchFor(d.snapshot())
	}
	d.functions.Prepare()
	d.config.Reporter.Ready(Ready{
		Public: d.public.URL(), Admin: d.admin.URL(), Page: d.pageFolder(), Application: described,
		Backend: d.backend(ctx),
	})
	return nil
}

// servePublic is the gateway, but for handshakes that find functions being
// built: these wait, so that a first build does not count as $connect's time.
func (d *dev) servePublic(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		d.functions.AwaitPrepared(r.Context())
	}
	d.gateway.ServeHTTP(w, r)
}

// startEndpoint opens what functions reach instead of AWS.
func (d *dev) startEndpoint(authority *certificate.Authority) (err error) {
	options := localaws.Options{
		Gateway: d.gateway, GatewayHost: d.domains.contains, TLSConfig: authority.TLSConfig(),
	}
	if !d.config.dynamoDBElsewhere() {
		d.database = dynamodb.New()
		options.DynamoDB = gateway.Guarded(d.webGuard(), d.database)
	}
	d.endpoint, err = localaws.Listen("127.0.0.1:0", options)
	return err
}

func (d *dev) startFunctions(authority *certificate.Authority) error {
	bundle := filepath.Join(d.config.CacheDir, "ca", "bundle.pem")
	if err := authority.WriteBundle(bundle); err != nil {
		return err
	}
	address := d.endpoint.Addr().String()
	hosts := []string{"*.execute-api.*.amazonaws.com", "*.execute-api.*.amazonaws.com.cn"}
	environment := map[string]string{}
	if d.database != nil {
		hosts = append(hosts, "dynamodb.*.amazonaws.com")
		environment[endpointVariable("dynamodb")] = "http://" + address
	}
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
		environment["AWS_ENDPOINT_URL"] = url
	}
	for service, endpoint := range d.config.endpoints {
		environment[endpointVariable(service)] = endpoint.String()
	}
	d.functions = lambda.NewHost(lambda.Options{
		Region: d.config.Region, AccountID: d.config.AccountID, Environment: environment,
		CacheDir: d.config.CacheDir, Log: d.narrator.Output, NotCode: d.isTemplate,
		Redirect: lambda.Redirect{
			Address: address, Hosts: hosts,
			CAFile: authority.CertificatePath(), CABundleFile: bundle,
		},
	})
	return nil
}

// listen opens a port and serves it with handler: TLS too, where a
// configuration is given. It is for one developer's machine, where all clients
// are one source.
func listen(ctx context.Context, address string, handler http.Handler, config *tls.Config) (*listener.Server, error) {
	port, err := listener.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	return listener.Serve(port, handler, listener.Options{TLS: config, Limits: listener.Limits{PerSource: -1}}), nil
}

// stop ends what was started, in reverse. Functions outlive the connections,
// for $disconnect, and so do the listeners, for what it sends.
func (d *dev) stop() {
	if d.template != nil {
		_ = d.template.changes.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if d.gateway != nil {
		_ = d.gateway.Shutdown(ctx) // cut short by ctx, which ends the program anyway
	}
	for _, s := range []*listener.Server{d.public, d.admin} {
		if s != nil {
			s.Close(ctx)
		}
	}
	d.stopBackends()
	if d.functions != nil {
		_ = d.functions.Close(ctx)
	}
	if d.endpoint != nil {
		_ = d.endpoint.Close(ctx)
	}
}
