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
func (e *Event) checkOrigin() {
	lines := e.handshake.request.Header.Values("Origin")
	if !e.stage.Access.Origins.Allows(lines) {
		e.fail(&failure.Error{Kind: failure.Denied, Reason: originReason(lines)})
	}
}

// count counts the connection as open, from now on: handshakes under way are
// bounded as well. What was counted is given back by release.
func (e *Event) count() {
	c := e.connection
	limits := c.gateway.guards.Caps
	if own := e.stage.Access.Connections; own > 0 && (limits.API == 0 || own < limits.API) {
		limits.API = own
	}
	if e.limited(c.gateway.opened.Add(limits, c.facts.APIID, c.source())) {
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
func (e *Event) throttleHandshake() {
	if !e.limited(e.connection.gateway.guards.Account.Connect(e.Time)) {
		e.throttleRoute()
	}
}

// throttleMessage keeps to the limits that hold for any route. The connection's
// own comes first: who sends too much must not use up what is everybody's.
func (e *Event) throttleMessage() {
	c := e.connection
	if !c.rate.Take(e.stage.Access.MessageRate, e.Time) {
		e.limited(usage.ErrConnectionRate)
		return
	}
	e.limited(c.gateway.guards.Account.Request(e.Time))
}

func (e *Event) throttleRoute() {
	if e.route != nil {
		e.limited(e.route.Throttle.Take(e.Time))
	}
}

// limited fails the event if there is a refusal, and reports whether.
func (e *Event) limited(refusal *failure.Error) bool {
	if refusal != nil {
		e.fail(refusal)
	}
	return refusal != nil
}
