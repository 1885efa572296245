// Package server is `stagedoor serve`: a gateway whose APIs come through the control
// plane and are kept. It wires the parts together, starts them and ends them.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/template"
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
	// Log takes the lines of the log. Nil takes none.
	Log io.Writer
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
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Reporter == nil {
		o.Reporter = quiet{}
	}
	s := &Server{options: o, config: c}
	if s.loaded, err = loadFile(c, o.Handlers); err != nil {
		return nil, err
	}
	s.log = newLogger(o.Log, c.Log.Format, &s.level)
	s.level.Set(c.Log.Level)
	for _, warning := range warnings {
		s.log.Warn(warning)
	}
	return s, nil
}

// Run runs a gateway until ctx ends. Its configuration of APIs comes through
// the control plane on the admin listener, and is kept. In the end connections
// are closed with 1001 and $disconnect runs. It is called once.
func (s *Server) Run(ctx context.Context) error {
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

// serving is a running `stagedoor serve`. Members are set in the order in which
// they start, and ended in reverse.
type Server struct {
	options Config
	config  *config.Config // what is in effect
	log     *slog.Logger
	level   slog.LevelVar

	state        health
	ports        ports
	certificates *certificates
	admin        *listener.Server
	store        *storage
	lease        *store.NodeLease // nil: nobody shares the store, or nobody can tell
	node         int
	managed      *managed // nil: no certificates by ACME
	access       *access
	keys         *apiKeys
	engine       *websocket.Engine
	events       *eventLog
	gateway      *gateway.Gateway
	overload     *overloadWatch
	freeMemory   func() // ends the limit of memory
	backends     *backendSet
	rollout      *following
	tidying      *tidying
	loaded       *template.Application  // of the configuration's apis at the start; nil for none
	managing     atomic.Pointer[string] // the file that has apis; nil for none
	file         *filed
	functions    fileFunctions
	handlers     *lambda.Host // of Config.Handlers; nil: there are none
	public       []*listener.Server
}

// start starts what a gateway consists of. Health checks are answered first, so
// that whoever waits for the gateway sees what it waits for.
func (s *Server) start(ctx context.Context) (err error) {
	s.ports, err = openPorts(ctx, s.options.Listeners, s.config)
	if err != nil {
		return err
	}
	if err := s.openCertificates(); err != nil {
		return err
	}
	admin := newAdminHandler(&s.state)
	s.admin = s.serveAdmin(s.ports.takeAdmin(), admin)
	if err := s.openStore(ctx); err != nil {
		return err
	}
	if err := s.claimNode(ctx); err != nil {
		return err
	}
	if err := s.openACME(); err != nil {
		return err
	}
	if err := s.startAccess(ctx); err != nil {
		return err
	}
	if err := s.startKeys(ctx); err != nil {
		return err
	}
	if s.engine, err = websocket.NewEngine(websocket.Options{QueueBudget: s.limitMemory()}); err != nil {
		return err
	}
	s.events = newEventLog(s.log, s.config.Log.Events)
	s.gateway = gateway.New(gateway.Options{
		Engine: s.engine, Recorder: s.events, Node: uint16(s.node), Guards: s.guards(),
		TurnedAway: func() { s.events.turnedAway.Add(1) },
		Ambiguous:  s.shortURLEnds,
	})
	s.watchOverload()
	s.events.start(s.config.Log.Summary, s.gateway.Connections)
	if s.backends, err = newBackends(s.config); err != nil {
		return err
	}
	s.startHandlers()
	s.backends.functions.file = &s.functions
	if err := s.useFunctions(s.loaded); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil {
		return err
	}
	plane := s.controlPlane()
	admin.control.Store(&plane)
	s.setManaging(s.config)
	s.startFile(ctx)
	for _, port := range s.ports.takePublic() {
		s.public = append(s.public, s.servePublic(port))
	}
	s.manage(ctx)
	s.state.setSynced()
	s.tellReady()
	s.startTidying(ctx)
	return nil
}

// tellReady says that the gateway serves, and who may use it.
func (s *Server) tellReady() {
	ready := Ready{
		Admin: withScheme(s.admin.URL(), s.certificates.admin != nil), File: s.options.Source.File, Open: s.options.Open, Alive: s.alive,
	}
	if ready.NATS = s.config.NATS.URL; ready.NATS == "" && !s.options.InMemory {
		ready.Data = s.config.Data
	}
	for _, p := range s.public {
		ready.Public = append(ready.Public, withScheme(p.URL(), s.config.TLS.Required))
	}
	s.options.Reporter.Ready(ready)
	s.log.Info("ready", "public", ready.Public, "admin", ready.Admin)
	switch {
	case s.options.Open:
		s.log.Warn("OPEN: signatures are not checked; whoever reaches a port may change every API and push to every connection")
	case s.access.directory.Len() == s.functions.keys():
		s.log.Warn("closed: there are no credentials, so the control plane and @connections refuse every request")
	}
}

// withScheme is a URL with the scheme that clients have to use.
func withScheme(url string, tls bool) string {
	if tls {
		return strings.Replace(url, "http:", "https:", 1)
	}
	return url
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

// stop ends what was started, in reverse: the public ports accept nobody more,
// connections are closed and $disconnect runs, and only then the store goes.
// Health checks are answered to the end. A gateway that never was ready does
// not wait for load balancers to notice.
func (s *Server) stop(wasReady bool) {
	s.state.setStopping()
	s.options.Reporter.Stopping()
	if wasReady {
		s.log.Info("stopping", "connections", s.gateway.Connections())
		time.Sleep(s.config.Shutdown.Delay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Shutdown.Timeout)
	defer cancel()
	s.ports.close()
	for _, p := range s.public {
		p.StopAccepting()
	}
	if s.gateway != nil {
		if err := s.gateway.Shutdown(ctx); err != nil {
			s.log.Warn("connections were cut: their $disconnect took too long", "timeout", s.config.Shutdown.Timeout)
		}
	}
	for _, p := range s.public {
		p.Close(ctx)
	}
	if s.tidying != nil {
		s.tidying.stop()
	}
	if s.file != nil {
		s.file.stop()
	}
	if s.rollout != nil {
		if err := s.rollout.stop(); err != nil && wasReady {
			s.log.Error("changes of the configuration were not followed to the end", "error", err)
		}
	}
	if err := errors.Join(s.functions.stop(ctx), s.stopHandlers(ctx)); err != nil {
		s.log.Warn("functions were ended while they ran", "error", err)
	}
	if s.backends != nil {
		s.backends.close()
	}
	if s.overload != nil {
		s.overload.stop()
	}
	if s.freeMemory != nil {
		s.freeMemory()
	}
	if s.events != nil {
		s.events.stop()
	}
	if s.admin != nil {
		s.admin.Close(ctx) // control-plane requests may be under way
	}
	if s.keys != nil {
		s.keys.stop()
	}
	if s.access != nil {
		s.access.stop()
	}
	s.managed.stop(ctx)
	if s.lease != nil {
		s.lease.Release()
	}
	if s.store != nil {
		s.store.close()
	}
	if s.certificates != nil {
		s.certificates.stop()
	}
	if wasReady {
		s.log.Info("stopped")
	}
}

// quiet is a Reporter that nobody listens to.
type quiet struct{}

func (quiet) Ready(Ready) {}
func (quiet) Reloading()  {}
func (quiet) Reloaded()   {}
func (quiet) Stopping()   {}
