package gateway

import (
	"net/netip"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// Guards stand between clients and all stages, beside what a stage's plan asks
// for. The zero value limits nothing, and knows nobody who could sign.
type Guards struct {
	// Identities are who may sign handshakes for $connect with AWS_IAM, and
	// requests to @connections. Nil: nobody is.
	Identities *identity.Directory
	// Unsigned lets everybody in where a signature is needed, and takes requests
	// to @connections from everybody whom Visitors lets in.
	Unsigned bool
	Visitors webguard.Guard
	// Account limits the events of all stages. Nil: it does not.
	Account *usage.Account
	// Caps bound open connections.
	Caps usage.OpenLimits
	// Keys are the API keys. Nil: none is valid.
	Keys *usage.Keys
}

func (g Guards) withDefaults() Guards {
	if g.Identities == nil {
		g.Identities = identity.New(identity.Options{})
	}
	if g.Account == nil {
		g.Account = usage.NewAccount(usage.AccountRates{})
	}
	if g.Keys == nil {
		g.Keys = usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil))
	}
	return g
}

// checkOrigin refuses pages that may not connect.
func (p *pipeline) checkOrigin() {
	lines := p.handshake.request.Header.Values("Origin")
	if !p.stage.Access.Origins.Allows(lines) {
		p.fail(&failure.Error{Kind: failure.Denied, Reason: originReason(lines)})
	}
}

// count counts the connection as open, from now on: handshakes under way are
// bounded as well. What was counted is given back by release.
func (p *pipeline) count() {
	c := p.connection
	limits := c.gateway.guards.Caps
	if own := p.stage.Access.Connections; own > 0 && (limits.API == 0 || own < limits.API) {
		limits.API = own
	}
	if p.limited(limitOpen, c.gateway.opened.Add(limits, c.facts.APIID, c.source())) {
		return
	}
	c.counted = true
}

// release takes the connection out of the count of open ones. It may be called
// again, but not at the same time.
func (c *connection) release() {
	if c.counted {
		c.counted = false
		c.gateway.opened.Remove(c.facts.APIID, c.source())
	}
}

// source is the client's address where connections are counted by it.
func (c *connection) source() netip.Addr {
	if c.gateway.guards.Caps.Source == 0 {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(c.facts.SourceIP) // what is none is not capped
	return address
}

// throttleHandshake keeps to the limits of the gateway and of $connect.
func (p *pipeline) throttleHandshake() {
	if !p.limited(limitAccount, p.connection.gateway.guards.Account.Connect(p.event.Time)) {
		p.throttleRoute()
	}
}

// throttleMessage keeps to the limits that hold for any route. The connection's
// own comes first: who sends too much must not use up what is everybody's.
func (p *pipeline) throttleMessage() {
	c := p.connection
	var own *failure.Error
	if !c.rate.Take(p.stage.Access.MessageRate, p.event.Time) {
		own = usage.ErrConnectionRate
	}
	if !p.limited(limitConnection, own) {
		p.limited(limitAccount, c.gateway.guards.Account.Request(p.event.Time))
	}
}

func (p *pipeline) throttleRoute() {
	if p.route != nil {
		p.limited(limitRoute, p.route.Throttle.Take(p.event.Time))
	}
}

// Levels of trace.Limit.
const (
	limitOpen       = "connections" // that are open
	limitAccount    = "account"
	limitConnection = "connection" // its messages
	limitRoute      = "route"
	limitBackend    = "backend" // what it may have in flight
)

// limited fails the event if there is a refusal, and reports whether.
func (p *pipeline) limited(level string, refusal *failure.Error) bool {
	if p.event.Trace != nil {
		p.traceLimit(level, refusal)
	}
	if refusal != nil {
		p.fail(refusal)
	}
	return refusal != nil
}
