// Package gateway is the data plane: it upgrades connections once $connect
// agrees, routes each message to its backend, tells $disconnect who left, and
// hands @connections requests to their API.
//
// The way of an event is in pipeline.go, who is let in in guard.go and
// authorize.go, the answers of a handshake in handshake.go, the life of a
// connection in connection.go.
package gateway

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Options are what a Gateway is made of.
type Options struct {
	Engine   *websocket.Engine
	Recorder telemetry.Recorder
	// Node is part of every connection id that this gateway issues.
	Node uint16
	// Fallback answers requests that are neither WebSocket handshakes nor for
	// @connections, and that name no API by their host. Nil stands for 403.
	Fallback http.Handler
	// Ambiguous is told when the short URL of a stage, /{stage}, leads nowhere any
	// more, as another API got a stage of that name. Nil is told nothing.
	Ambiguous func(stage string, apiIDs []string)
	// TurnedAway is told of each handshake that was refused because there is no
	// room for it, and not for what it is. Nil is told nothing.
	TurnedAway func()
	// Answered is told the status of each handshake's answer of which there is no record:
	// there was no event, for it was none, or there was no room. Nil is told nothing.
	Answered func(status int)
	// AuthorizerTook is told how long each call of a Lambda authorizer took. Nil is told
	// nothing.
	AuthorizerTook func(time.Duration)
	// Guards limit and check what comes in.
	Guards Guards
	// Watchers decide which events have a trace, beside those whose data is logged.
	Watchers []Watcher
	// Requests decides which requests to @connections have a trace. With nil none has.
	Requests connections.Watcher
}

// Gateway serves the stages deployed to it. It is an http.Handler.
type Gateway struct {
	engine   *websocket.Engine
	recorder telemetry.Recorder
	node     uint16
	fallback http.Handler
	guards   Guards
	watchers []Watcher
	trial    *trial     // the only event of a gateway that was made for it; nil: clients' events
	opened   usage.Open // and about to be

	endpoints endpoints

	ambiguous func(stage string, apiIDs []string)

	registry    *connections.Registry
	connections *connections.Handler

	// ctx ends when a shutdown has waited long enough; backends are called with it.
	ctx    context.Context
	cancel context.CancelFunc
	// connecting ends earlier; what decides about a handshake is called with it.
	connecting context.Context
	turnAway   context.CancelFunc

	mu      sync.Mutex // guards writing of hosting
	hosting atomic.Pointer[directory]

	// running is held for reading by every handshake, and for writing, for
	// good, once the gateway shuts down.
	running  sync.RWMutex
	stopping atomic.Bool // set before running is asked for
	shutdown sync.Once
	settled  chan struct{} // closed when no handshake is left

	refusing   atomic.Bool // new connections, for a while
	turnedAway func()

	answered       func(status int)
	authorizerTook func(time.Duration)
}

// New makes a gateway without stages.
func New(o Options) *Gateway {
	g := &Gateway{
		engine: o.Engine, recorder: o.Recorder, node: o.Node, fallback: o.Fallback, guards: o.Guards.withDefaults(),
		watchers:  o.Watchers,
		ambiguous: o.Ambiguous, registry: connections.NewRegistry(), settled: make(chan struct{}),
	}
	if g.recorder == nil {
		g.recorder = telemetry.Discard
	}
	if g.ambiguous == nil {
		g.ambiguous = func(string, []string) {}
	}
	if g.turnedAway = o.TurnedAway; g.turnedAway == nil {
		g.turnedAway = func() {}
	}
	if g.answered = o.Answered; g.answered == nil {
		g.answered = func(int) {}
	}
	if g.authorizerTook = o.AuthorizerTook; g.authorizerTook == nil {
		g.authorizerTook = func(time.Duration) {}
	}
	if g.fallback == nil {
		g.fallback = http.HandlerFunc(g.forbidden)
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.connecting, g.turnAway = context.WithCancel(g.ctx)
	g.connections = &connections.Handler{Registry: g.registry, Recorder: g.recorder, Admit: g.admit, Watcher: o.Requests}
	g.hosting.Store(&directory{})
	return g
}

// stage is a deployed stage. Connections hold on to it; what they run is
// always its current plan.
type stage struct {
	plan    atomic.Pointer[plan.Stage]
	removed atomic.Bool
}

// Deploy puts a plan on its stage. Open connections of the stage follow.
func (g *Gateway) Deploy(p *plan.Stage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := stageKey{p.APIID, p.Name}
	if s := g.hosting.Load().stages[key]; s != nil {
		s.plan.Store(p)
		return
	}
	s := &stage{}
	s.plan.Store(p)
	before := g.hosting.Load()
	next := before.withStage(key, s)
	g.hosting.Store(next)
	if before.byName[p.Name] != nil && next.byName[p.Name] == nil {
		g.ambiguous(p.Name, next.apisWith(p.Name))
	}
}

// Remove takes a stage away and closes its connections with 1001.
func (g *Gateway) Remove(apiID, name string) {
	g.mu.Lock()
	key := stageKey{apiID, name}
	s := g.hosting.Load().stages[key]
	g.hosting.Store(g.hosting.Load().withStage(key, nil))
	g.mu.Unlock()
	if s == nil {
		return
	}
	s.removed.Store(true)
	g.registry.Each(func(open connections.Connection) {
		if c := open.(*connection); c.stage == s {
			c.socket.Close(websocket.CloseGoingAway, goingAway)
		}
	})
}

// Mapping puts a stage below a key of a custom domain.
type Mapping struct{ Key, APIID, Stage string }

// SetDomains replaces the custom domains and their mappings.
func (g *Gateway) SetDomains(domains map[string][]Mapping) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosting.Store(g.hosting.Load().withDomains(domains))
}

// HasDomain reports whether a host name, in lower case and without a port, is a
// custom domain of an API.
func (g *Gateway) HasDomain(host string) bool {
	_, found := g.hosting.Load().domain(host)
	return found
}

// Connections is the number of open connections.
func (g *Gateway) Connections() int { return g.registry.Len() }

// Shutdown refuses new connections, closes the open ones with 1001, runs
// their $disconnect, and waits for all of it until ctx ends. None of these waits
// for another: handshakes that are under way have half of the time, and what
// comes of them is refused; clients have a quarter to answer the close frame.
func (g *Gateway) Shutdown(ctx context.Context) error {
	defer g.cancel()
	g.stopping.Store(true)
	g.shutdown.Do(func() {
		go func() {
			g.running.Lock()
			close(g.settled)
		}()
	})
	var handshakes sync.WaitGroup
	handshakes.Go(func() { g.settle(ctx) })
	defer handshakes.Wait()
	return g.engine.Shutdown(ctx)
}

// settle waits for the handshakes that are under way, and ends those that take
// longer than half of the time.
func (g *Gateway) settle(ctx context.Context) {
	defer g.turnAway()
	half := ctx
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		half, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	select {
	case <-g.settled:
		return
	case <-half.Done():
	}
	g.turnAway()
	select {
	case <-g.settled:
	case <-ctx.Done():
	}
}
