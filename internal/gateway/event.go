package gateway

import (
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// Event is one CONNECT, MESSAGE or DISCONNECT on its way through the gateway.
type Event struct {
	integration.Request
	connection *connection
	handshake  *handshake // CONNECT only
	stage      *plan.Stage
	route      *plan.Route // nil: no route matched

	response *integration.Response // nil: no backend was called, or the event failed
}

// handshake is what a CONNECT event has beside others.
type handshake struct {
	request *http.Request
	// protocol is the subprotocol of the answer, if $connect does not name one.
	protocol string
	// usageIdentifier is the API key that the authorizer gave.
	usageIdentifier string

	// What follows is for the record of a refusal.
	signer *identity.Identity  // nil: nobody who is known
	needed identity.Permission // of the signer
	keyID  string              // of the API key
}

func newEvent(c *connection, s *plan.Stage, eventType string, now time.Time) *Event {
	return &Event{
		Request: integration.Request{
			Connection:     &c.facts,
			EventType:      eventType,
			RequestID:      apigw.NewRequestID(),
			Time:           now,
			StageVariables: s.Variables,
		},
		connection: c,
		stage:      s,
	}
}

// fail ends the event with an error. What was answered until then is not used.
func (e *Event) fail(err *failure.Error) {
	e.response, e.Failed = nil, err
}

// record describes the event for whoever watches.
func (e *Event) record(kind string) *telemetry.Record {
	r := &telemetry.Record{
		Event: kind, Time: e.Time, Duration: time.Since(e.Time),
		APIID: e.APIID, Stage: e.Stage, ConnectionID: e.ID, RequestID: e.RequestID,
		RouteKey: e.RouteKey, Bytes: len(e.Body), Warnings: e.Integration.Warnings,
	}
	if e.response != nil {
		r.Status = e.response.Status
	}
	switch {
	case e.Failed != nil:
		r.Status, r.Error = e.Failed.Status(), e.Failed.Error()
	case e.Integration.Error != "": // an integration response made an answer of it
		r.Error = e.Integration.Error
	}
	return r
}
