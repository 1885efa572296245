// Package server is `stagedoor serve`: a gateway whose APIs come through the control
// plane and are kept. It wires the parts together, starts them and ends them.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/lines"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/otlp"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/template"
	"github.com/stagedoor/stagedoor/internal/tracing"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Config says what Run runs. The zero value works: it stands for the
// defaults.
type Config struct {
	Source config.Options
	// Open switches the checking of signatures off: everybody who reaches a
	// port may do everything. It is for tests.
	Open bool
	// Hosts are names by which the ports are reached, beside addresses, localhost
	// and custom domains. They matter where signatures are not checked.
	Hosts []string
	// InMemory keeps what the control plane makes as long as the gateway runs. No
	// file is left; what processes of functions need is in a temporary folder.
	InMemory bool
	// Handlers are functions that are Go code of this process, by their names or by
	// their logical ids in the configuration's apis.
	Handlers backends.Handlers
	// Repair restores a store that is damaged from its automatic backups, before
	// it is opened.
	Repair bool
	// Version is that of the program, for those who look at its metrics.
	Version string
	// Log takes the lines of the log. Nil takes none.
	Log io.Writer
	// Stdout takes the lines of access and execution logs that go to standard output. It
	// is written to by several goroutines. Nil stands for the process's own.
	Stdout io.Writer
	// Reporter is told of the gateway's life. Nil is told nothing.
	Reporter Reporter
	// Reload has the configuration read again, each time it gives something.
	Reload <-chan struct{}
	// Listeners take the place of the configuration's addresses, by the names
	// "public" and "admin". Run closes them.
	Listeners map[string][]net.Listener
}

// Reporter is told of the life of a gateway, by one goroutine.
type Reporter interface {
	// Ready is called once, when the gateway serves.
	Ready(Ready)
	// Reloading is called when the configuration is read again, and Reloaded
	// when that is done.
	Reloading()
	Reloaded()
	// Stopping is called once, when the gateway begins to stop.
	Stopping()
}

// Ready describes a gateway that serves.
type Ready struct {
	Public []string // URLs of the public listeners, http://host:port
	Admin  string   // URL of the admin listener
	File   string   // the configuration; empty for none
	Data   string   // the folder of the store; empty where memory or NATS servers have it
	NATS   string   // URLs of the NATS servers that have the store; empty for none
	Open   bool     // signatures are not checked
	// Alive asks the gateway whether its event loops, accept loops and watches
	// of the store have their turns. The error names what had not answered when
	// ctx ended. It is called at any time, by any goroutine.
	Alive func(ctx context.Context) error `json:"-"`
}

// Run makes a gateway and runs it until ctx ends.
func Run(ctx context.Context, o Config) error {
	s, err := New(o)
	if err != nil {
		closeAll(o.Listeners)
		return err
	}
	return s.Run(ctx)
}

// Server is a running gateway: its parts, in the order in which they start.
type Server struct {
	options Config
	config  *config.Config        // what is in effect
	app     *template.Application // of the configuration's apis at the start; nil for none
	lines   *lines.Writer
	log     *slog.Logger // writes lines
	level   slog.LevelVar
	health  health
	parts   lifetime.Closers // of what has started

	ports         *ports
	certificates  *certificates
	metrics       *metricsPart
	admin         *adminPort
	store         *storage
	node          *node
	acme          *acmeCertificates
	access        *access
	keys          *apiKeys
	engine        *websocket.Engine
	events        *eventLog
	logs          *logsink.Logs
	tail          *eventstream.Hub
	otlp          *otlp.Options
	otlpLogs      logsink.Exporter // nil: there is no endpoint for them
	tracer        *tracing.Tracer  // nil: nothing is traced
	gateway       *gateway.Gateway
	goFunctions   *goFunctions
	fileFunctions *fileFunctions
	backends      *backends.Backends
	rollout       *follower
	file          *fileAPIs
	public        *publicPorts
}

// New reads the configuration of a gateway. Nothing is opened before Run.
//
// The error is a mistake.List for mistakes in the configuration.
func New(o Config) (*Server, error) {
	c, warnings, err := config.Load(o.Source)
	if err != nil {
		return nil, err
	}
	if err := checkSecrets(c); err != nil {
		return nil, err
	}
	if o.InMemory && c.NATS.URL != "" {
		return nil, errors.New("the APIs are kept in memory, or on the NATS servers of nats.url: not both")
	}
	app, err := loadFile(c, o.Handlers)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Reporter == nil {
		o.Reporter = noReporter{}
	}
	s := &Server{options: o, config: c, app: app}
	s.lines = lines.New(o.Log, lines.Options{Limit: maxUnwritten, Delay: logDelay, Lost: func(n int) {
		s.log.Warn("the log took no lines for a while, and some are lost", "lines", n)
	}})
	s.log = newLogger(s.lines, c.Log.Format, &s.level)
	s.level.Set(c.Log.Level)
	s.health.log = s.log
	for _, warning := range warnings {
		s.log.Warn(warning)
	}
	return s, nil
}

// Run runs a gateway until ctx ends. Its configuration of APIs comes through the
// control plane on the admin listener, and is kept. In the end connections are
// closed with 1001 and $disconnect runs. It is called once.
func (s *Server) Run(ctx context.Context) error {
	defer s.lines.Close()
	err := s.start(ctx)
	if err == nil {
		s.run(ctx)
	}
	s.stop(err == nil)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // stopped before it was ready
	}
	return err
}

// start starts the parts of a gateway, and has stop close those that did, in
// reverse. On an error the rest has not started.
func (s *Server) start(ctx context.Context) error {
	if err := s.openPorts(ctx); err != nil {
		return err
	}
	if err := s.openStore(ctx); err != nil {
		return err
	}
	if err := s.openGateway(ctx); err != nil {
		return err
	}
	if err := s.serveAPIs(ctx); err != nil {
		return err
	}
	s.serveClients(ctx)
	return nil
}

// openPorts opens the ports before all else: one that is taken is told at once.
// Health checks are answered from now on, so that whoever waits for the gateway
// sees what it waits for.
func (s *Server) openPorts(ctx context.Context) (err error) {
	if s.ports, err = openPorts(ctx, s.options.Listeners, s.config); err != nil {
		return err
	}
	s.parts.Add(s.ports.close)
	acme := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return s.acme.certificate(hello) } // there when public ports are served
	if s.certificates, err = openCertificates(ctx, s.config, acme, s.log); err != nil {
		return err
	}
	s.parts.Add(s.certificates.close)
	if err := s.openMetrics(ctx); err != nil {
		return err
	}
	s.admin = serveAdmin(s.ports.takeAdmin(), &s.health, s.metrics.onAdminPort(), s.certificates.admin, portLimits(s.config))
	s.parts.Add(s.admin.close)
	return nil
}

// openStore opens the store, and what is kept in it beside the APIs.
func (s *Server) openStore(ctx context.Context) (err error) {
	if s.store, err = openStorage(ctx, s.options, s.config, &s.health); err != nil {
		return err
	}
	s.parts.Add(s.store.close)
	if s.node, err = claimNode(ctx, s.config, s.store.nats, &s.health); err != nil {
		return err
	}
	s.parts.Add(s.node.close)
	if s.acme, err = openACME(s.config.TLS.ACME, s.store, s.ports.public, s.log); err != nil {
		return err
	}
	s.parts.Add(s.acme.close)
	if s.access, err = openAccess(ctx, s.config, s.options.Open, s.store.AccessKeys, s.log); err != nil {
		return err
	}
	s.parts.Add(s.access.close)
	if s.keys, err = openKeys(ctx, s.store.Usage, s.log); err != nil {
		return err
	}
	s.parts.Add(s.keys.close)
	s.parts.Add(s.admin.close) // its requests use all of the above: they end before it does
	return nil
}

// openGateway makes the data plane, and what it calls. No API is served yet.
func (s *Server) openGateway(ctx context.Context) (err error) {
	memory, freeMemory := limitMemory(s.config, s.log)
	s.parts.Add(func(context.Context) { freeMemory() })
	if s.engine, err = websocket.NewEngine(websocket.Options{MemoryBudget: memory / 4}); err != nil {
		return err
	}
	s.events = newEventLog(s.log, s.config.Log.Events)
	if err := s.openTelemetry(ctx); err != nil {
		return err
	}
	s.openLogs()
	s.tail = eventstream.NewHub()
	s.parts.Add(s.tail.Close) // after the last events, and before the admin port, which waits for who watches
	s.events.counted = s.metrics.Totals
	s.gateway = gateway.New(s.traced(gateway.Options{
		Engine: s.engine, Recorder: s.recorders(), Node: uint16(s.node.number), Guards: s.guards(),
		TurnedAway: s.metrics.TurnedAway, Answered: s.metrics.Answered, AuthorizerTook: s.metrics.Authorizer.Observe,
		Ambiguous: s.shortURLEnds,
	}))
	s.parts.Add(func(ctx context.Context) { _ = s.gateway.Shutdown(ctx) }) // of a start that failed: nobody is connected
	s.parts.Add(s.events.startSummaries(ctx, s.config.Log.Summary, s.gateway.Connections))
	s.parts.Add(watchOverload(ctx, s.engine, s.gateway, s.metrics.LoopLag.Observe, s.log).Close)
	authorities, err := backends.Authorities(s.config.Backends.CA)
	if err != nil {
		return fmt.Errorf("backends.ca: %w", err)
	}
	s.goFunctions = newGoFunctions(s.config, s.options.Handlers, s.log)
	s.fileFunctions = newFileFunctions(s.config, s.options, s.gateway, s.access.directory, s.metrics.Function, s.log)
	s.backends = newBackends(s.config, authorities, s.metrics, s.goFunctions.invoker(), s.fileFunctions)
	s.watchGateway()
	if err := s.exportMetrics(ctx); err != nil {
		return err
	}
	s.parts.Add(func(context.Context) { s.backends.Close() })
	s.parts.Add(s.goFunctions.close)
	s.parts.Add(s.fileFunctions.close)
	return nil
}

// recorders returns those that get the record of each event, as one.
func (s *Server) recorders() telemetry.Recorder {
	return telemetry.Join(
		s.metrics,
		s.events,
		s.tail,
	)
}

// serveAPIs puts the APIs of the store into effect, and those of the configuration
// into the store. It returns when they are served.
func (s *Server) serveAPIs(ctx context.Context) (err error) {
	if err := s.useFunctions(s.app); err != nil {
		return err
	}
	s.rollout, err = openRollout(ctx, newCompiler(s.config, s.backends, s.logs, s.metrics.ofStages()), rollout.Options{
		Configuration: s.store.Configuration, Gateway: s.gateway, Keys: s.keys, Links: s.backends.Links, Damaged: s.store.records.Damage().Keys(),
	}, s.log)
	if err != nil {
		return err
	}
	s.parts.Add(s.rollout.close)
	operations := controlOptions(s.config, s.store.Configuration, s.rollout, s.log)
	s.file = newFileAPIs(s.config, s.store, operations, s.log)
	s.admin.handler.setControl(s.controlPlane(operations))
	s.file.start(ctx, s.app)
	s.parts.Add(s.file.close)
	s.parts.Add(startJanitor(ctx, s.store, operations, s.log).Close)
	return nil
}

// serveClients lets clients connect, and says so.
func (s *Server) serveClients(ctx context.Context) {
	s.public = s.servePublic()
	s.parts.Add(s.public.close)
	s.acme.manage(ctx)
	s.health.setSynced()
	s.tellReady()
}

// useFunctions runs the functions of an application, and none that are not in it.
// A nil application changes nothing.
func (s *Server) useFunctions(app *template.Application) error {
	s.goFunctions.use(app)
	return s.fileFunctions.use(app)
}

// tellReady says that the gateway serves, and who may use it.
func (s *Server) tellReady() {
	ready := Ready{
		Public: s.public.urls(s.config.TLS.Required), Admin: withScheme(s.admin.URL(), s.certificates.admin != nil),
		File: s.options.Source.File, Open: s.options.Open, Alive: s.alive,
	}
	if ready.NATS = s.config.NATS.URL; ready.NATS == "" && !s.options.InMemory {
		ready.Data = s.config.Data
	}
	s.options.Reporter.Ready(ready)
	s.log.Info("ready", "public", ready.Public, "admin", ready.Admin)
	switch {
	case s.options.Open:
		s.log.Warn("OPEN: signatures are not checked; whoever reaches a port may change every API and push to every connection")
	case s.access.directory.Len() == s.fileFunctions.accessKeys():
		s.log.Warn("closed: there are no credentials, so the control plane and @connections refuse every request")
	}
}

// run waits for the end of ctx, and reads the configuration again when asked.
func (s *Server) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.options.Reload:
			s.options.Reporter.Reloading()
			s.reload(ctx)
			s.options.Reporter.Reloaded()
		}
	}
}

// stop closes the parts, the last first: the public ports accept nobody more,
// connections are closed and $disconnect runs, with functions and backends still
// there; then health checks and requests of the admin port end, and the store goes
// after all that uses it. A gateway that never was ready does not wait for load
// balancers to notice.
func (s *Server) stop(wasReady bool) {
	s.health.setStopping()
	s.options.Reporter.Stopping()
	if wasReady {
		s.log.Info("stopping", "connections", s.gateway.Connections())
		time.Sleep(s.config.Shutdown.Delay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Shutdown.Timeout)
	defer cancel()
	s.parts.Close(ctx)
	if wasReady {
		s.log.Info("stopped")
	}
}

// noReporter is a Reporter that nobody listens to.
type noReporter struct{}

func (noReporter) Ready(Ready) {}
func (noReporter) Reloading()  {}
func (noReporter) Reloaded()   {}
func (noReporter) Stopping()   {}
