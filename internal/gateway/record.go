package gateway

import (
	"time"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// tell hands the record of the event, which has ended, to whoever watches, and writes the
// event's lines of the execution log.
func (p *pipeline) tell(record *telemetry.Record) {
	p.connection.gateway.recorder.Record(record)
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
