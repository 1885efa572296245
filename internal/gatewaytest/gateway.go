// Package gatewaytest is the harness of the tests: a gateway on a real socket,
// functions that are Go code, APIs in a few lines, and a WebSocket client. It
// is imported from tests only.
package gatewaytest

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/dualport"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Timeout is how long a test waits for something that must happen, on a machine
// that is busy with something else.
const Timeout = 2 * time.Minute

// headerTime is how long a client may take to send its header. Tests that send
// a part of a header wait for its end.
const headerTime = 10 * time.Second

// Gateway is a running gateway.
type Gateway struct {
	*gateway.Gateway
	Engine    *websocket.Engine
	Functions *Functions
	Records   *Records
	// AccessLog has the lines of all stages that have AccessLogSettings, and ExecutionLog
	// those of all stages and routes whose logging is on.
	AccessLog, ExecutionLog *Lines
	Address                 string // host:port of the public listener

	// Backends makes the backends of deployed APIs.
	Backends *integration.Builder

	t        testing.TB
	compiler *plan.Compiler
}

// EachDriver runs a test on every driver of the WebSocket engine.
func EachDriver(t *testing.T, test func(t *testing.T, driver websocket.Driver)) {
	for name, driver := range map[string]websocket.Driver{"event loop": websocket.DriverAuto, "goroutines": websocket.DriverGoroutine} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, driver)
		})
	}
}

// New starts a gateway that does not check signatures. It is shut down at the
// end of the test, with all connections.
func New(t testing.TB, driver websocket.Driver) *Gateway {
	t.Helper()
	return NewGuarded(t, driver, gateway.Guards{Unsigned: true})
}

// NewGuarded is New for a gateway with guards.
func NewGuarded(t testing.TB, driver websocket.Driver, guards gateway.Guards) *Gateway {
	t.Helper()
	return NewWith(t, websocket.Options{Driver: driver}, guards)
}

// NewWith is NewGuarded with options for the WebSocket engine.
func NewWith(t testing.TB, options websocket.Options, guards gateway.Guards) *Gateway {
	t.Helper()
	return NewFrom(t, options, gateway.Options{Guards: guards})
}

// NewFrom is NewWith with options of the gateway: its engine and its node are the
// harness's, and so is the recorder where there is none.
func NewFrom(t testing.TB, options websocket.Options, o gateway.Options) *Gateway {
	t.Helper()
	engine, err := websocket.NewEngine(options)
	if err != nil {
		t.Fatal(err)
	}
	g := &Gateway{Engine: engine, Functions: NewFunctions(), Records: NewRecords(), AccessLog: new(Lines), ExecutionLog: new(Lines), t: t}
	if o.Engine, o.Node = engine, 1; o.Recorder == nil {
		o.Recorder = g.Records
	}
	g.Gateway = gateway.New(o)
	client := httpclient.New(httpclient.Options{})
	g.Backends = &integration.Builder{
		Functions: g.Functions, HTTP: client, Region: "us-east-1", AccountID: "123456789012",
	}
	authorizers := &authorizer.Builder{Functions: g.Functions, Region: "us-east-1", Account: "123456789012"}
	g.compiler = &plan.Compiler{Backends: g.Backends, Authorizers: authorizers, Region: "us-east-1"}
	g.compiler.ExecutionLogs = func(string, string) logsink.Sink { return g.ExecutionLog }
	g.compiler.AccessLogs = func(string) logsink.Sink { return g.AccessLog }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.Address = listener.Addr().String()
	server := &http.Server{Handler: g.Gateway, ReadHeaderTimeout: headerTime}
	dualport.Attach(server, Timeout)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(dualport.NewListener(listener, nil))
	}()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Timeout)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil {
			t.Errorf("the gateway did not shut down: %v", err)
		}
		_ = server.Close()
		<-served
		client.Close()
	})
	return g
}

// UseServices sets the URLs at which AWS integrations find services, by the
// services' names. Services without one cannot be reached.
func (g *Gateway) UseServices(endpoints map[string]string) {
	g.t.Helper()
	urls := make(map[string]*url.URL, len(endpoints))
	for service, text := range endpoints {
		u, err := awsservice.ParseEndpoint(text)
		if err != nil {
			g.t.Fatal(err)
		}
		urls[service] = u
	}
	services := awsservice.New(awsservice.Options{
		Endpoints: urls, OpenEndpoints: true,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Getenv:      func(string) string { return "" },
	})
	g.t.Cleanup(services.Close)
	g.Backends.Services = services
}

// Count has the events of stages counted that are deployed from now on.
func (g *Gateway) Count(m *metrics.Metrics) { g.compiler.Metrics = m }

// Deploy compiles an API and puts it on its stages.
func (g *Gateway) Deploy(api *apigw.API, stages ...*apigw.Stage) {
	g.t.Helper()
	for _, stage := range stages {
		stage.ApiId = api.ApiId
		p, problems, err := g.compiler.Compile(&apigw.Deployment{API: api}, stage)
		if err != nil {
			g.t.Fatal(err)
		}
		for _, problem := range problems {
			g.t.Logf("%s: %v", stage.StageName, problem)
		}
		g.Gateway.Deploy(p)
	}
}

// DeployRoutes deploys an API "testapi123" with the given routes on stage "dev".
func (g *Gateway) DeployRoutes(routes ...Route) {
	g.t.Helper()
	g.Deploy(API("testapi123", routes...), &apigw.Stage{StageName: "dev"})
}

// URL is the HTTP address of a path.
func (g *Gateway) URL(path string) string { return "http://" + g.Address + path }

// ConnectionURL is the address of a connection in the @connections API.
func (g *Gateway) ConnectionURL(id string) string {
	return g.URL("/dev/@connections/" + strings.ReplaceAll(id, "=", "%3D"))
}

// Eventually calls check until it returns nil. If that takes longer than
// Timeout, the test fails with the last error.
func Eventually(t testing.TB, check func() error) {
	t.Helper()
	deadline := time.Now().Add(Timeout)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for err := check(); err != nil; err = check() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %v", err)
		}
		<-tick.C
	}
}
