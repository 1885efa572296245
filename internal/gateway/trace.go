package gateway

import (
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/executionlog"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Watcher decides which events have a trace.
type Watcher interface {
	// Watch reports whether an event that begins is to have a trace, which comes with
	// its record. t is that trace, without steps: Watch may raise t.Keep, and set its
	// other members. The event has no route yet. Its TraceID is what the client of a
	// handshake has sent, and the Header of a handshake is the client's; Watch may set the
	// TraceID. It is called for every event, on an event loop as a rule: it must not wait.
	Watch(e *event.Event, t *trace.Trace) bool
}

// watch asks the watchers about the event.
func (p *pipeline) watch() {
	if len(p.connection.gateway.watchers) == 0 {
		return
	}
	t := newTrace()
	for _, w := range p.connection.gateway.watchers {
		if w.Watch(&p.event, t) {
			p.event.Trace = t
		}
	}
	if p.event.Trace == nil {
		freeTrace(t)
	}
}

// tracePool has empty traces. The steps of one that comes back stay with whoever holds
// them.
var tracePool = sync.Pool{New: func() any { return new(trace.Trace) }}

func newTrace() *trace.Trace {
	t, _ := tracePool.Get().(*trace.Trace)
	return t
}

func freeTrace(t *trace.Trace) {
	*t = trace.Trace{}
	tracePool.Put(t)
}

// executionLog is where the event is logged, nil where it is not.
func (p *pipeline) executionLog() *executionlog.Log {
	if p.route != nil {
		return p.route.ExecutionLog
	}
	return p.stage.ExecutionLog
}

// traceForLog has the event traced for the execution log.
func (p *pipeline) traceForLog() {
	if p.event.Trace == nil {
		p.event.Trace = newTrace()
	}
	p.event.Trace.Keep = max(p.event.Trace.Keep, executionlog.MaxPayload)
}

// What follows is called for an event that has a trace only, but for replied.

func (p *pipeline) traceRoute() {
	t := p.event.Trace
	step := trace.Route{At: time.Now(), Key: p.event.RouteKey}
	if p.event.Type == event.Message {
		e := p.stage.SelectionExpression()
		step.Expression, step.Value = e.String(), t.Text(e.Evaluate(p.event.Body))
		if t.Thorough {
			step.Known = p.stage.RouteKeys()
		}
	}
	t.Add(step)
}

func (p *pipeline) traceLimit(level string, refusal *failure.Error) {
	p.event.Trace.Add(trace.Limit{At: time.Now(), Level: level, Error: reason(refusal)})
}

func (p *pipeline) traceKey(id string, refusal *failure.Error) {
	p.event.Trace.Add(trace.Key{At: time.Now(), Required: true, ID: id, Error: reason(refusal)})
}

func (p *pipeline) traceAccess(began time.Time, identity string, refusal *failure.Error) {
	p.event.Trace.Add(trace.Access{
		Began: began, Took: time.Since(began), Kind: p.stage.Access.Kind, Name: p.stage.Access.Name,
		Identity: p.event.Trace.Text(identity), Error: reason(refusal),
	})
}

// replied notes what the client is sent: a handshake's answer, or a frame where status
// is 0.
func (p *pipeline) replied(status int, body []byte) {
	if t := p.event.Trace; t != nil {
		t.Add(trace.Reply{At: time.Now(), Status: status, Body: t.Payload(body), Error: p.event.Failed != nil})
	}
}

// reason is why something was refused; empty where it was not.
func reason(refusal *failure.Error) string {
	if refusal == nil {
		return ""
	}
	return refusal.Reason
}
