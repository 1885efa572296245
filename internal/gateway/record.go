package gateway

import (
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// tell hands the record of the event, which has ended, to whoever watches, and writes the
// event's line of the access log and its lines of the execution log.
func (p *pipeline) tell(record *telemetry.Record) {
	p.connection.gateway.recorder.Record(record)
	if l := p.stage.AccessLog; l != nil {
		l.Write(&p.event)
	}
	if l := p.executionLog(); l != nil {
		l.Write(&p.event, record.Time.Add(record.Duration))
	}
}

// record describes the event for whoever watches, once it has ended.
func (p *pipeline) record(kind string) *telemetry.Record {
	e, c, r := &p.event, &p.connection.facts, &p.ended
	*r = telemetry.Record{
		Event: kind, Time: e.Time, Duration: time.Since(e.Time), Context: (*ended)(p),
		APIID: c.APIID, Stage: c.Stage, ConnectionID: c.ID, RequestID: e.RequestID,
		Failed: e.Failed, Meter: p.meter(), Backend: telemetry.Backend{
			Latency: e.Integration.Latency, Status: e.Integration.Status, Result: e.Status, Error: e.Integration.Error,
		},
		RouteKey: e.RouteKey, Status: e.Status, Bytes: len(e.Body), Warnings: e.Integration.Warnings,
		Trace: e.Trace,
	}
	switch {
	case e.Failed != nil:
		r.Status, r.Error = e.Failed.Status(), e.Failed.Error()
	case e.Integration.Error != "": // an integration response made an answer of it
		r.Error = e.Integration.Error
	}
	return r
}

// meter is what counts the event; nil where nothing does.
func (p *pipeline) meter() telemetry.Meter {
	of := p.stage.Meters
	switch {
	case p.route != nil:
		return p.route.Meter
	case of == nil:
		return nil
	case p.event.Type == event.Connect:
		return of.Connect
	case p.event.Type == event.Disconnect:
		return of.Disconnect
	}
	return of.Unrouted
}
