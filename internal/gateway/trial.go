package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Trial is an event that no client brings. It goes the way of a client's event, from its
// first station to its backend and back, and its end is a Verdict: no connection is opened
// or used, nothing is counted as open, and nothing is recorded.
type Trial struct {
	APIID, Stage string
	// Handshake is the request of $connect; of a message, the one by which its client has
	// connected.
	Handshake *http.Request
	// IsMessage is set for a MESSAGE. Otherwise it is a CONNECT.
	IsMessage bool
	Message   []byte
	// Client is what a client is known by; nil for nothing. Of $connect, it is what is known
	// before an authorizer is asked.
	Client *event.Client
	// Trace is told of the event's steps; nil: nobody watches.
	Trace *trace.Trace
	// Identifiers are given to the event where they are not empty.
	Identifiers Identifiers
}

// Identifiers are what an event is known by.
type Identifiers struct{ ConnectionID, RequestID, TraceID string }

// Verdict is what became of a Trial.
type Verdict struct {
	RouteKey string // empty: the event has no route
	// Failed is why the event failed, nil where it did not.
	Failed *failure.Error
	// Status is that of the answer to the handshake; for a message, what the backend
	// answered, 0 for nothing.
	Status int
	Header http.Header // of the answer to a handshake
	// Reply is what the client gets: the body of a refusal, or a frame. Replied is false
	// where it gets none.
	Reply    []byte
	Replied  bool
	Outcome  event.Outcome // of the backend's call
	Accepted bool          // the connection opens
}

// errNoStage is for a Trial on a stage that is not deployed.
var errNoStage = errors.New("there is no such stage")

// Try takes a trial on its way, and waits for its end.
func (g *Gateway) Try(t Trial) (*Verdict, error) {
	s := g.hosting.Load().stages[stageKey{t.APIID, t.Stage}]
	if s == nil {
		return nil, errNoStage
	}
	to := target{apiID: t.APIID, stage: s}
	running := &trial{writer: answerWriter{header: http.Header{}}, ended: make(chan struct{})}
	own := New(Options{Guards: g.guards}) // the event's, so that it counts nowhere else
	defer own.cancel()
	own.trial = running
	var p *pipeline
	if t.IsMessage {
		p = own.trialMessage(t, to)
	} else {
		p = own.connectEvent(&running.writer, t.Handshake, to)
		p.connection.facts.Client = t.Client
	}
	if t.Trace != nil {
		p.event.Trace = t.Trace
	}
	for _, given := range []struct {
		to    *string
		value string
	}{
		{&p.connection.facts.ID, t.Identifiers.ConnectionID},
		{&p.event.RequestID, t.Identifiers.RequestID},
		{&p.event.TraceID, t.Identifiers.TraceID},
	} {
		if given.value != "" {
			*given.to = given.value
		}
	}
	p.run(nil)
	<-running.ended
	return &running.verdict, nil
}

// trialMessage begins the event of a message that no client has sent.
func (g *Gateway) trialMessage(t Trial, to target) *pipeline {
	stage, now := to.stage.plan.Load(), time.Now()
	c := g.newConnection(t.Handshake, to, stage, now)
	c.facts.Client = t.Client
	p := newPipeline(c, stage, event.Message, now)
	p.event.Body = t.Message
	p.keepKey(t.Handshake, "")
	return p
}

// trial is a Trial that is on its way.
type trial struct {
	writer  answerWriter
	verdict Verdict
	ended   chan struct{} // closed at its end
}

// end is finish for an event of a trial.
func (t *trial) end(p *pipeline) {
	defer close(t.ended)
	p.connection.release()
	v := &t.verdict
	*v = Verdict{RouteKey: p.event.RouteKey, Failed: p.event.Failed, Status: p.event.Status, Outcome: p.event.Integration}
	if p.event.Type == event.Message {
		frame, sent := p.frame()
		if v.Reply, v.Replied = bytes.Clone(frame), sent; sent {
			p.replied(0, frame)
		}
		return
	}
	if v.Accepted = p.accepted(); v.Accepted {
		v.Status, v.Header = http.StatusSwitchingProtocols, http.Header{}
		if protocol := p.subprotocol(); protocol != "" {
			v.Header.Set("Sec-WebSocket-Protocol", protocol)
		}
		p.replied(v.Status, nil)
		return
	}
	status, body := p.refusal()
	p.replied(status, body)
	p.refuse(&t.writer, status, body)
	v.Status, v.Header, v.Reply, v.Replied = t.writer.status, t.writer.header, t.writer.body, true
}

// answerWriter keeps the answer to a handshake.
type answerWriter struct {
	status int
	header http.Header
	body   []byte
}

func (w *answerWriter) Header() http.Header    { return w.header }
func (w *answerWriter) WriteHeader(status int) { w.status = status }
func (w *answerWriter) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}
