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

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/certificate"
	"github.com/stagedoor/stagedoor/internal/dynamodb"
	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/localaws"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
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
	p, err := openProject(config, os.Environ())
	if err != nil {
		return err
	}
	s := &Server{project: p}
	defer s.stop()
	if err := s.start(ctx); err != nil {
		return err
	}
	s.watch(ctx)
	return nil
}

// Server is a running `stagedoor dev`: its parts, in the order in which they
// start.
type Server struct {
	*project
	parts lifetime.Closers // of what has started

	template  *templateWatch // nil: the application is in no file
	narrator  *narrator
	tail      *eventstream.Hub
	keys      *usage.Keys // their counts last as long as the program
	gateway   *gateway.Gateway
	database  *dynamodb.Server // nil: elsewhere
	endpoint  *localaws.Endpoint
	functions *lambda.Host
	backends  *backends.Backends
	compiler  *plan.Compiler
	admin     *listener.Server
	public    *listener.Server
	domains   domainSet

	running atomic.Pointer[application] // what was put into effect last
}

// start starts the parts, and has stop close those that did, in reverse. The
// template is read before anything runs.
func (s *Server) start(ctx context.Context) (err error) {
	if err := s.openWatch(); err != nil {
		return err
	}
	loaded, err := s.load()
	if err != nil {
		return err
	}
	authority, err := certificate.Open(filepath.Join(s.config.CacheDir, "ca"))
	if err != nil {
		return err
	}
	if err := s.openGateway(); err != nil {
		return err
	}
	if err := s.openEndpoint(authority); err != nil {
		return err
	}
	if err := s.openFunctions(authority); err != nil {
		return err
	}
	s.openBackends()
	if err := s.openPorts(ctx, authority); err != nil {
		return err
	}
	described, err := s.apply(loaded)
	if err != nil {
		return err
	}
	if s.template != nil {
		s.template.watchFor(s.snapshot())
	}
	s.functions.Prepare()
	s.config.Reporter.Ready(Ready{
		Public: s.public.URL(), Admin: s.admin.URL(), Page: s.pageFolder(), Application: described,
		Backend: s.backend(ctx),
	})
	return nil
}

// openGateway makes the data plane. No API is served yet.
func (s *Server) openGateway() error {
	engine, err := websocket.NewEngine(websocket.Options{})
	if err != nil {
		return err
	}
	s.narrator = newNarrator(s.config.Reporter, s.connectURLs)
	s.narrator.deliberate = s.isShort()
	s.tail = eventstream.NewHub()
	s.keys = usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil))
	s.gateway = gateway.New(gateway.Options{
		Engine: engine, Recorder: telemetry.Join(s.narrator, s.tail), Node: 1, Fallback: http.HandlerFunc(s.servePage),
		Guards: gateway.Guards{Unsigned: true, Visitors: s.webGuard(), Keys: s.keys},
	})
	s.parts.Add(s.closeConnections) // of a start that failed: nobody is connected
	return nil
}

// closeConnections closes the connections with 1001 and runs their $disconnect.
// It may be called several times.
func (s *Server) closeConnections(ctx context.Context) {
	_ = s.gateway.Shutdown(ctx) // cut short by ctx, which ends the program anyway
}

// openPorts serves the admin port and the public one.
func (s *Server) openPorts(ctx context.Context, authority *certificate.Authority) (err error) {
	if s.public, err = listen(ctx, s.config.Listen, http.HandlerFunc(s.servePublic), authority.TLSConfig()); err != nil {
		return err
	}
	s.parts.Add(s.public.Close)
	if s.admin, err = listen(ctx, s.config.Admin, s.adminHandler(), nil); err != nil {
		return err
	}
	s.parts.Add(s.admin.Close)
	s.parts.Add(s.tail.Close)       // after the last events, and before the port waits for who watches
	s.parts.Add(s.closeConnections) // while the ports still serve what $disconnect sends
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

// servePublic is the gateway, but for handshakes that find functions being
// built: these wait, so that a first build does not count as $connect's time.
func (s *Server) servePublic(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		s.functions.AwaitPrepared(r.Context())
	}
	s.gateway.ServeHTTP(w, r)
}

// stop closes the parts, the last first. Functions outlive the connections, for
// $disconnect, and so do the ports, for what it sends.
func (s *Server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	s.parts.Close(ctx)
}
