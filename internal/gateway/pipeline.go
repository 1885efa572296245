package gateway

import (
	"context"
	"runtime/debug"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/usage"
)

var (
	errNoRoute       = failure.New(failure.Route, "no route matches and the API has no $default")
	errNoIntegration = failure.New(failure.Configuration, "the route has no integration")
)

// The stations of each kind of event. One that an event fails at is its last;
// the integration comes behind them.
var (
	connectStations = []func(*Event){
		(*Event).selectRoute, (*Event).checkOrigin, (*Event).count, (*Event).throttleHandshake,
		(*Event).authorize, (*Event).readKey, (*Event).checkKey, (*Event).require,
	}
	messageStations = []func(*Event){
		(*Event).throttleMessage, (*Event).selectRoute, (*Event).throttleRoute, (*Event).checkKey, (*Event).validate,
	}
	disconnectStations = []func(*Event){(*Event).selectRoute}
)

// run takes an event along its stations to its integration. What becomes of its
// response or failure is up to the kind of event.
//
// A panic is a defect of ours; it fails this event, and nothing else.
func (e *Event) run() {
	defer func() {
		if defect := recover(); defect != nil {
			e.fail(failure.New(failure.Internal, "defect in the gateway: %v\n%s", defect, debug.Stack()))
		}
	}()
	stations := messageStations
	switch e.EventType {
	case integration.Connect:
		stations = connectStations
	case integration.Disconnect:
		stations = disconnectStations
	}
	for _, station := range stations {
		if station(e); e.Failed != nil {
			return
		}
	}
	if e.route != nil {
		e.integrate(e.time())
	}
}

// time ends when a gateway that stops does not wait for the event any more.
func (e *Event) time() context.Context {
	if e.EventType == integration.Connect {
		return e.connection.gateway.connecting
	}
	return e.connection.gateway.ctx
}

// selectRoute finds the event's route. Only a message must have one.
func (e *Event) selectRoute() {
	switch e.EventType {
	case integration.Connect:
		e.route = e.stage.Connect
	case integration.Disconnect:
		e.route = e.stage.Disconnect
	default:
		if e.route = e.stage.Select(e.Body); e.route == nil {
			e.fail(errNoRoute)
		}
	}
	if e.route != nil {
		e.RouteKey, e.TwoWay = e.route.Key, e.route.TwoWay
	}
}

// require checks that the handshake has the parameters that its route wants.
func (e *Event) require() {
	if e.route == nil || e.route.Required == nil {
		return
	}
	if err := e.route.Required.Check(e.Context()); err != nil {
		e.fail(err)
	}
}

// validate checks a message against the model that its route has for it.
func (e *Event) validate() {
	if e.route.Validator == nil {
		return
	}
	if err := e.route.Validator.Validate(e.Body); err != nil {
		e.fail(failure.New(failure.Body, "%w", err))
	}
}

// integrate calls the route's backend. A route without one accepts
// connections, and fails messages.
func (e *Event) integrate(ctx context.Context) {
	if e.route.Backend == nil {
		if e.EventType == integration.Message {
			e.fail(errNoIntegration)
		}
		return
	}
	if e.TraceID == "" {
		e.TraceID = apigw.NewTraceID(e.Time)
	}
	if part := e.route.Part; part != nil && e.EventType == integration.Message {
		if !part.Enter(e.connection.socket) {
			e.limited(usage.ErrBackendBusy)
			return
		}
		defer part.Leave(e.connection.socket)
	}
	response, err := e.route.Backend.Invoke(ctx, &e.Request)
	if err != nil {
		e.fail(err)
		return
	}
	if e.response = response; e.answers() && len(response.Body) > connections.MaxPayload {
		e.fail(failure.New(failure.Internal, "the integration's answer is larger than %d bytes", connections.MaxPayload))
	}
}

// answers tells whether the client gets what the backend answered.
func (e *Event) answers() bool {
	return e.response != nil && e.TwoWay && e.EventType == integration.Message
}
