// Package event is what happens on a connection, as all that handle it see it: a
// CONNECT, a MESSAGE or a DISCONNECT. It knows the variables of $context, and
// the JSON that Lambda functions and authorizers receive.
//
// The gateway makes an Event and takes it on its way. Authorizers, mapping
// templates, integrations and telemetry read it; integrations write down how
// their call went. What an event needs of its connection is a Connection, which
// all of its events share.
package event

import (
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Type is the kind of an event, as a Lambda function sees it in
// requestContext.eventType.
type Type string

// The types.
const (
	Connect    Type = "CONNECT"
	Message    Type = "MESSAGE"
	Disconnect Type = "DISCONNECT"
	// ConnectionAPI is a call of the @connections API. Only access logs know it. Its
	// Connection is what is said about the caller; the ID is that of the call's path.
	ConnectionAPI Type = "CONNECTION_API"
)

// Event is one event. It belongs to one goroutine at a time. Members that do not
// apply to its type are zero.
type Event struct {
	Connection *Connection
	Type       Type
	RequestID  string // of the data plane: 16 characters; of ConnectionAPI: a UUID
	Time       time.Time
	RouteKey   string // of the route that the event takes; empty until it is found
	TraceID    string // value of X-Amzn-Trace-Id; empty until a backend is called
	// TraceParent is the traceparent that HTTP backends are sent (W3C Trace Context); empty
	// where they are sent none.
	TraceParent string

	Header []Parameter // CONNECT: the handshake's lines in the order they came
	Query  url.Values  // CONNECT: decoded

	Body   []byte // MESSAGE
	Binary bool   // MESSAGE: it came as a binary one
	TwoWay bool   // the route has a route response

	CloseCode   int    // DISCONNECT
	CloseReason string // DISCONNECT

	// Integration is what a backend tells of its call.
	Integration Outcome
	// Status is what the backend answered the client, or would have: of a
	// function, the statusCode of its result. 0: there is no such answer.
	Status int
	// Trace has the event's steps; nil where nobody watches.
	Trace *trace.Trace
	// Failed is why the event failed, nil while it did not.
	Failed *failure.Error

	stageVariables map[string]string
	messageID      string // see MessageID; of ConnectionAPI, which has no message: the extended request id
}

// New makes an event of a connection, with a request id of its own. The variables
// are those of the connection's stage at this moment; they are not changed.
func New(c *Connection, t Type, at time.Time, stageVariables map[string]string) Event {
	return Event{Connection: c, Type: t, RequestID: apigw.NewRequestID(), Time: at, stageVariables: stageVariables}
}

// NewCall makes the event of a call of @connections, which has two request ids.
func NewCall(c *Connection, requestID, extendedRequestID string, at time.Time) Event {
	return Event{Connection: c, Type: ConnectionAPI, RequestID: requestID, Time: at, messageID: extendedRequestID}
}

// MessageID is the id of a message, empty for other events. Few ask for it: it is made
// for the first who does.
func (e *Event) MessageID() string {
	if e.Type != Message {
		return ""
	}
	if e.messageID == "" {
		e.messageID = apigw.NewMessageID(e.Connection.ID)
	}
	return e.messageID
}

// Answered reports whether the backend's answer reaches the client, as a message
// or as the handshake's answer.
func (e *Event) Answered() bool {
	return e.Type == Connect || e.Type == Message && e.TwoWay
}

// Outcome is what is known of a backend's call beside its answer. Members that do
// not apply are zero.
type Outcome struct {
	Latency time.Duration
	// Status is what the endpoint answered: of a function that was called, what
	// Lambda answered.
	Status int
	// RequestID is the id that AWS gave the call.
	RequestID string
	// Error is what a function failed with.
	Error string
	// Warnings are what is probably a mistake in a mapping template, in
	// sentences. Each is told of one event only.
	Warnings []string
}
