package gateway

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

var (
	errNoRoute       = failure.New(failure.Route, "no route matches and the API has no $default")
	errNoIntegration = failure.New(failure.Configuration, "the route has no integration")
)

// pipeline takes one event from where it came in to its backend and to its end, and has what it
// found on the way.
type pipeline struct {
	event      event.Event
	connection *connection
	stage      *plan.Stage        // the connection's, when the event came
	handshake  *handshake         // CONNECT only
	message    *websocket.Message // MESSAGE only; nil for one that no client sent
	route      *plan.Route        // nil: no route matched
	entered    bool               // the event counts in the route's Part
	starting   bool               // the backend's call is being started
	answered   bool               // the backend's call is over
	spoilt     bool               // by a defect: somebody may hold on to the pipeline
	// response is what the backend answered, until finish has returned; nil: none was
	// called, or the event failed.
	response *integration.Response
	ended    telemetry.Record // see record
}

var pipelinePool = sync.Pool{New: func() any { return new(pipeline) }}

// newPipeline begins an event.
func newPipeline(c *connection, s *plan.Stage, t event.Type, now time.Time) *pipeline {
	p, _ := pipelinePool.Get().(*pipeline)
	p.event, p.connection, p.stage = event.New(&c.facts, t, now, s.Variables), c, s
	return p
}

// free gives the pipeline back, at the event's end.
func (p *pipeline) free() {
	if p.spoilt || p.starting {
		return
	}
	if p.event.Trace != nil {
		freeTrace(p.event.Trace)
	}
	*p = pipeline{}
	pipelinePool.Put(p)
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
	// A message passes arrivalStations where it was read, and the others where its route says.
	arrivalStations    = []func(*pipeline){(*pipeline).throttleMessage, (*pipeline).selectRoute}
	messageStations    = []func(*pipeline){(*pipeline).throttleRoute, (*pipeline).checkKey, (*pipeline).validate}
	disconnectStations = []func(*pipeline){(*pipeline).selectRoute}
)

// run takes an event all the way, from its first station to finish. It waits for the backend of a handshake and of
// $disconnect. For a message it waits for nothing: on a loop, a message of a light route stays there, and its backend is
// started; any other goes on in a goroutine.
func (p *pipeline) run(loop *eventloop.Loop) {
	if p.event.Type != event.Connect { // those are watched before they have their header
		p.watch()
	}
	switch {
	case p.event.Type == event.Connect:
		p.proceed(connectStations, nil)
	case p.event.Type == event.Disconnect:
		p.proceed(disconnectStations, nil)
	case !p.pass(arrivalStations):
		p.finish()
	case loop != nil && (p.route.Light != nil || p.route.Backend == nil && p.route.Validator == nil):
		p.proceed(messageStations, loop)
	default:
		go p.proceed(messageStations, nil)
	}
}

// proceed takes an event through stations to its integration. Where there is a loop, this is the loop.
func (p *pipeline) proceed(stations []func(*pipeline), loop *eventloop.Loop) {
	if !p.pass(stations) || !p.enter() {
		p.finish()
		return
	}
	p.integrate(loop)
}

// pass takes an event through stations. It returns false where the event has failed at one.
func (p *pipeline) pass(stations []func(*pipeline)) bool {
	p.guard(func() {
		for _, station := range stations {
			if station(p); p.event.Failed != nil {
				return
			}
		}
	})
	return p.event.Failed == nil
}

// guard has the event fail where f panics, which is a defect of ours, and nothing else. It reports whether that was so.
func (p *pipeline) guard(f func()) (defect bool) {
	defer func() {
		if cause := recover(); cause != nil {
			defect, p.spoilt = true, true
			p.fail(failure.New(failure.Internal, "defect in the gateway: %v\n%s", cause, debug.Stack()))
		}
	}()
	f()
	return false
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
	if l := p.executionLog(); l != nil && l.HasData() {
		p.traceForLog()
	}
	if p.event.Trace != nil {
		p.traceRoute()
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
	if err := p.route.Validator.Validate(p.event.Body, p.event.Trace); err != nil {
		p.fail(failure.New(failure.Body, "%w", err))
	}
}

// enter reports whether the route has a backend that is to be called, and may be. A route without one accepts
// connections, and fails messages.
func (p *pipeline) enter() bool {
	switch {
	case p.route == nil:
		return false
	case p.route.Backend == nil:
		if p.event.Type == event.Message {
			p.fail(errNoIntegration)
		}
		return false
	case p.route.Part == nil || p.message == nil:
		return true
	}
	if p.entered = p.route.Part.Enter(&p.connection.socket); !p.entered {
		p.limited(limitBackend, usage.ErrBackendBusy)
	}
	return p.entered
}

// integrate calls the route's backend, which answers here: now or, on a loop, later.
func (p *pipeline) integrate(loop *eventloop.Loop) {
	if p.event.TraceID == "" {
		p.event.TraceID = apigw.NewTraceID(p.event.Time)
	}
	if loop != nil {
		p.start(loop)
		return
	}
	var response *integration.Response
	var err *failure.Error
	if p.guard(func() { response, err = p.route.Backend.Invoke(p.time(), &p.event) }) {
		p.finish()
		return
	}
	p.Answer(response, err)
}

// start has the backend called on the loop. It may answer meanwhile.
func (p *pipeline) start(loop *eventloop.Loop) {
	p.starting = true
	if p.guard(func() { p.route.Light.Start(loop, p.time(), &p.event, p) }) && !p.answered {
		p.answered = true
		p.finish()
	}
	if p.starting = false; p.answered {
		p.free()
	}
}

// Answer implements integration.Caller.
func (p *pipeline) Answer(response *integration.Response, err *failure.Error) {
	if p.answered {
		return // start has failed by a defect
	}
	p.answered = true
	if err != nil {
		p.fail(err)
	} else {
		p.response, p.event.Status = response, response.Status
		if p.answers() && len(response.Body) > connections.MaxPayload {
			p.fail(failure.New(failure.Internal, "the integration's answer is larger than %d bytes", connections.MaxPayload))
		}
	}
	p.finish()
}

// finish is the end of every event: what came of it becomes an answer, and a record. Who started the event has nothing
// more to do with a message.
func (p *pipeline) finish() {
	if p.entered {
		p.route.Part.Leave(&p.connection.socket)
	}
	if t := p.connection.gateway.trial; t != nil {
		t.end(p)
		return
	}
	switch p.event.Type {
	case event.Connect:
		p.connection.gateway.answer(p)
	case event.Disconnect:
		p.connection.left(p)
	default:
		m := p.message
		if p.guard(p.reply) {
			p.guard(func() { p.tell(p.record(telemetry.EventMessage)) })
		}
		m.Done()
	}
	p.free()
}

// answers tells whether the client gets what the backend answered.
func (p *pipeline) answers() bool {
	return p.response != nil && p.event.TwoWay && p.event.Type == event.Message
}
