// Package executionlog writes the execution log of a stage: what happened to each event,
// step by step, in API Gateway's lines (section K.2). A plan has a Log for each route
// whose events are logged, and the gateway hands it each event that has ended. Lines go to
// a sink, which nobody waits for.
package executionlog

import (
	"sync"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/logsink"
)

// Levels of logging, as settings have them. Any other stands for OFF.
const (
	levelError = "ERROR"
	levelInfo  = "INFO"
)

// Log is the execution log of one route of a stage, or of messages that find no route. It
// is part of a plan, and not changed.
type Log struct {
	sink        logsink.Sink
	info        bool // what happens is logged, and not what fails alone
	data        bool // and with requests and answers
	keyRequired bool

	api   string
	place string // {api}/{stage}
	route string // its key, as it is shown; empty where there is none
}

// New makes the log of a route, or of messages without one where r is nil. It returns nil
// where nothing is logged. Each setting of the route goes before the stage's default.
// sinks gives the sink of a stage, and is asked where there are lines; it may be nil.
func New(s *apigw.Stage, r *apigw.Route, sinks func(apiID, stage string) logsink.Sink) *Log {
	level, data := "", false
	settings := []*apigw.RouteSettings{s.DefaultRouteSettings}
	if r != nil {
		settings = append(settings, s.RouteSettings[r.RouteKey])
	}
	for _, own := range settings {
		if own == nil {
			continue
		}
		if own.LoggingLevel != "" {
			level = own.LoggingLevel
		}
		if own.DataTraceEnabled != nil {
			data = *own.DataTraceEnabled
		}
	}
	if sinks == nil || level != levelInfo && level != levelError {
		return nil
	}
	l := &Log{
		sink: sinks(s.ApiId, s.StageName), info: level == levelInfo, data: level == levelInfo && data,
		api: s.ApiId, place: s.ApiId + "/" + s.StageName,
	}
	if r != nil {
		l.keyRequired, l.route = r.ApiKeyRequired, string(appendEscaped(nil, r.RouteKey))
	}
	return l
}

// HasData reports whether the log has requests and answers: events need a trace then.
func (l *Log) HasData() bool { return l.data }

// Write writes the lines of an event that ended at a time.
func (l *Log) Write(e *event.Event, ended time.Time) {
	if !l.info && e.Failed == nil && e.Integration.Error == "" {
		return
	}
	w := writerPool.Get().(*writer)
	w.begin(l, e)
	if l.info {
		w.whole(ended)
	} else {
		w.failure(ended)
	}
	w.end()
	writerPool.Put(w)
}

var writerPool = sync.Pool{New: func() any { return new(writer) }}

// reached is how far on its way an event has come, by the lines of section K.2.
type reached int

const (
	reachedGateway reached = iota // it was refused at once
	reachedKey                    // its API key was refused
	reachedRoute                  // it was looked at by its route: its parameters, its model
	reachedBackend
)

// reach returns how far an event has come.
func reach(e *event.Event) reached {
	if e.Failed == nil {
		return reachedBackend
	}
	switch e.Failed.Kind {
	case failure.APIKey, failure.Quota:
		return reachedKey
	case failure.Body, failure.Parameters:
		return reachedRoute
	}
	if e.Failed.Kind == failure.Route || e.Failed.IsRefusal() {
		return reachedGateway
	}
	return reachedBackend
}

// whole writes all lines of an event.
func (w *writer) whole(ended time.Time) {
	e, l, far := w.event, w.log, reach(w.event)
	w.line(e.Time, "Extended Request Id: ", e.RequestID)
	if far >= reachedKey {
		w.start()
		w.add("Verifying Usage Plan for request: ", e.RequestID, ". API Key: ")
		w.addText(w.key())
		w.add(" API Stage: ", l.place)
		w.finish(e.Time)
	}
	if far >= reachedRoute {
		w.authorized()
		w.line(e.Time, "Starting execution for request: ", e.RequestID)
		w.line(e.Time, "WebSocket Request Route: [", w.route(), "]")
		w.arrival()
	}
	if far == reachedBackend && e.Trace != nil && l.data {
		w.exchange(e.Trace)
	}
	w.failure(ended)
	if far == reachedBackend {
		if e.Integration.RequestID != "" {
			w.start()
			w.add("AWS Integration Endpoint RequestId : ")
			w.addText(e.Integration.RequestID)
			w.finish(ended)
		}
		w.outcome(ended)
	}
}

// authorized says that the API key is good, or not needed.
func (w *writer) authorized() {
	w.start()
	w.add("API Key ")
	w.addText(w.key())
	w.add(" authorized because route '", w.route())
	if w.log.keyRequired {
		w.add("' requires API Key")
	} else {
		w.add("' does not require API Key. Request will not contribute to throttle or quota limits")
	}
	w.finish(w.event.Time)
	w.start()
	w.add("Usage Plan check succeeded for API Key ")
	w.addText(w.key())
	w.add(" and API Stage ", w.log.place)
	w.finish(w.event.Time)
}

// route is the key of the event's route, or what it would be.
func (w *writer) route() string {
	switch {
	case w.log.route != "":
		return w.log.route
	case w.event.Type == event.Connect:
		return "$connect"
	case w.event.Type == event.Disconnect:
		return "$disconnect"
	}
	return "-"
}

// arrival says who has come, or what.
func (w *writer) arrival() {
	e := w.event
	switch e.Type {
	case event.Connect:
		w.start()
		w.add("Client [UserAgent: ")
		w.addText(e.Connection.UserAgent)
		w.add(", SourceIp: ", e.Connection.SourceIP, "] is connecting to WebSocket API [", w.log.api, "].")
		w.finish(e.Time)
	case event.Message:
		w.line(e.Time, "WebSocket API [", w.log.api, "] received message from client [Connection Id: ", e.Connection.ID, "].")
		if w.log.data {
			w.start()
			w.add("WebSocket API [", w.log.api, "] received message from client [", e.Connection.ID, "]. Message: [")
			w.addSecret(e.Body)
			w.add("].")
			w.finish(e.Time)
		}
	}
}

// failure says what failed, if anything did.
func (w *writer) failure(at time.Time) {
	e := w.event
	w.start()
	switch {
	case e.Failed != nil:
		w.addText(e.Failed.Error())
	case e.Integration.Error != "": // an integration response has made an answer of it
		w.addText(e.Integration.Error)
	default:
		return
	}
	w.finish(at)
}

// outcome says what came of the event.
func (w *writer) outcome(at time.Time) {
	e, api := w.event, w.log.api
	called := e.Status != 0 || e.Integration.Latency > 0
	w.start()
	switch {
	case e.Type == event.Connect && e.Failed == nil && (e.Status == 0 || e.Status >= 200 && e.Status < 300):
		w.add("Client [Connection Id: ", e.Connection.ID, "] connected to API [", api, "] successfully.")
	case e.Type == event.Message && called:
		w.add("Message from client [Connection Id: ", e.Connection.ID, "] sent to API [", api, "] with response status code [")
		w.addNumber(w.status())
		w.add("].")
	case e.Type == event.Disconnect:
		w.add("Client [Connection Id: ", e.Connection.ID, "] disconnected from API [", api, "]")
		if called {
			w.add(" with integration response status code [")
			w.addNumber(w.status())
			w.add("]")
		}
		w.add(". Close reason: [")
		w.addNumber(e.CloseCode)
		w.add(": ")
		w.addText(e.CloseReason)
		w.add("]")
	default:
		return
	}
	w.finish(at)
}
