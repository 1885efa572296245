package gateway

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
)

var (
	errNoRoute       = failure.New(failure.Route, "no route matches and the API has no $default")
	errNoIntegration = failure.New(failure.Configuration, "the route has no integration")
)

// pipeline takes one event from where it came in to its backend, and has what it
// found on the way.
type pipeline struct {
	event      event.Event
	connection *connection
	stage      *plan.Stage // the connection's, when the event came
	handshake  *handshake  // CONNECT only
	route      *plan.Route // nil: no route matched
	// response is what the backend answered; nil: none was called, or the event
	// failed.
	response *integration.Response
	ended    telemetry.Record // see record
}

// newPipeline begins an event.
func newPipeline(c *connection, s *plan.Stage, t event.Type, now time.Time) *pipeline {
	return &pipeline{event: event.New(&c.facts, t, now, s.Variables), connection: c, stage: s}
}

// fail ends the event with an error. What was answered until then is not used.
func (p *pipeline) fail(err *failure.Error) {
	p.response, p.event.Failed = nil, err
}

// The stations of each kind of event. One that an event fails at is its last;
// the integration comes behind them.
var (
	connectStations = []func(*pipeline){
		(*pipeline).selectRoute, (*pipeline).checkOrigin, (*pipeline).count, (*pipeline).throttleHandshake,
		(*pipeline).authorize, (*pipeline).readKey, (*pipeline).checkKey, (*pipeline).require,
	}
	messageStations = []func(*pipeline){
		(*pipeline).throttleMessage, (*pipeline).selectRoute, (*pipeline).throttleRoute, (*pipeline).checkKey, (*pipeline).validate,
	}
	disconnectStations = []func(*pipeline){(*pipeline).selectRoute}
)

// run takes an event along its stations to its integration. What becomes of its
// response or failure is up to the kind of event.
//
// A panic is a defect of ours; it fails this event, and nothing else.
func (p *pipeline) run() {
	defer func() {
		if defect := recover(); defect != nil {
			p.fail(failure.New(failure.Internal, "defect in the gateway: %v\n%s", defect, debug.Stack()))
		}
	}()
	stations := messageStations
	switch p.event.Type {
	case event.Connect:
		stations = connectStations
	case event.Disconnect:
		stations = disconnectStations
	}
	for _, station := range stations {
		if station(p); p.event.Failed != nil {
			return
		}
	}
	if p.route != nil {
		p.integrate(p.time())
	}
}

// time ends when a gateway that stops does not wait for the event any more.
func (p *pipeline) time() context.Context {
	if p.event.Type == event.Connect {
		return p.connection.gateway.connecting
	}
	return p.connection.gateway.ctx
}

// selectRoute finds the event's route. Only a message must have one.
func (p *pipeline) selectRoute() {
	switch p.event.Type {
	case event.Connect:
		p.route = p.stage.Connect
	case event.Disconnect:
		p.route = p.stage.Disconnect
	default:
		if p.route = p.stage.Select(p.event.Body); p.route == nil {
			p.fail(errNoRoute)
		}
	}
	if p.route != nil {
		p.event.RouteKey, p.event.TwoWay = p.route.Key, p.route.TwoWay
	}
}

// require checks that the handshake has the parameters that its route wants.
func (p *pipeline) require() {
	if p.route == nil || p.route.Required == nil {
		return
	}
	if err := p.route.Required.Check(&p.event); err != nil {
		p.fail(err)
	}
}

// validate checks a message against the model that its route has for it.
func (p *pipeline) validate() {
	if p.route.Validator == nil {
		return
	}
	if err := p.route.Validator.Validate(p.event.Body); err != nil {
		p.fail(failure.New(failure.Body, "%w", err))
	}
}

// integrate calls the route's backend. A route without one accepts
// connections, and fails messages.
func (p *pipeline) integrate(ctx context.Context) {
	if p.route.Backend == nil {
		if p.event.Type == event.Message {
			p.fail(errNoIntegration)
		}
		return
	}
	if p.event.TraceID == "" {
		p.event.TraceID = apigw.NewTraceID(p.event.Time)
	}
	if part := p.route.Part; part != nil && p.event.Type == event.Message {
		if !part.Enter(&p.connection.socket) {
			p.limited(usage.ErrBackendBusy)
			return
		}
		defer part.Leave(&p.connection.socket)
	}
	response, err := p.route.Backend.Invoke(ctx, &p.event)
	if err != nil {
		p.fail(err)
		return
	}
	p.response, p.event.Status = response, response.Status
	if p.answers() && len(response.Body) > connections.MaxPayload {
		p.fail(failure.New(failure.Internal, "the integration's answer is larger than %d bytes", connections.MaxPayload))
	}
}

// answers tells whether the client gets what the backend answered.
func (p *pipeline) answers() bool {
	return p.response != nil && p.event.TwoWay && p.event.Type == event.Message
}
