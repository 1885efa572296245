// Package telemetry has the records of finished events, and the interface of
// those that receive them. The gateway and the @connections API write records;
// the command line prints them, and the logs of `serve` are made from them.
package telemetry

import (
	"iter"
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Kinds of Record, as they appear in Record.Event.
const (
	EventConnect    = "connect"    // a handshake ended, with a connection or without
	EventMessage    = "message"    // a client's message was handled
	EventDisconnect = "disconnect" // a connection ended and $disconnect, if any, ran
	EventPush       = "push"       // POST to @connections
	EventInfo       = "info"       // GET of @connections
	EventDelete     = "delete"     // DELETE of @connections
	EventRefused    = "refused"    // a request whose URL leads to no stage, or to @connections from a foreign page; Refused says which
)

// Record is one finished event. Members that do not apply are zero. It must
// not be kept or changed after Recorder.Record returns.
type Record struct {
	Event string
	// Context gives the event's $context variables: only events of connections have
	// some. It may be nil, and a Payloads. It may be used until Recorder.Record
	// returns.
	Context      Context
	Time         time.Time // when it began
	Duration     time.Duration
	APIID        string
	Stage        string
	ConnectionID string
	RequestID    string
	RouteKey     string // the route that matched; empty when none did
	// Status is the handshake's answer, the integration's status code, or the
	// management call's answer; for a disconnect it is the close code.
	Status int
	Reason string // the close reason of a disconnect
	Bytes  int    // payload bytes: of the message, or of the push
	// Unanswered is the size, in bytes, of an integration's answer to a message
	// that is not sent, because the route has no route response.
	Unanswered int
	// SideBySide is set if another message of the same connection was still
	// being handled when this one was done, so that their answers may be in
	// another order.
	SideBySide bool
	// Replied is set if a message's backend answered, and the client was sent that.
	Replied bool
	// Failed is why the event failed; nil where it did not, and for calls of @connections.
	Failed *failure.Error
	// Backend is what is known of the backend's call; zero where none was called.
	Backend Backend
	// Meter counts the event: that of its route, which the plan has. Nil: nothing does.
	Meter Meter
	// Error is a sentence for the operator about what failed. The client has
	// got only AWS's own text for it.
	Error string
	// Warnings are sentences for the operator about probable mistakes in the
	// API, such as a line of a mapping template that has no effect. Each is
	// reported once, with the first event that it concerns.
	Warnings []string
	// Refused is set if a client was refused a connection, a push or a URL.
	Refused *Access
	// Trace has the event's steps; nil where nobody watched. It may be used until
	// Recorder.Record returns.
	Trace *trace.Trace
}

// Backend is what is known of the call of an event's backend.
type Backend struct {
	Latency time.Duration // 0: none was called
	Status  int           // that the endpoint answered; of a function that was called, what Lambda answered
	// Result is the status of the answer that came of it: of a function, the statusCode of
	// its result. 0: there is no such answer.
	Result int
	Error  string // what a function failed with, where an integration response made an answer of it
}

// Meter counts events of one kind.
type Meter interface {
	// Count counts the event of a record, in the event's own goroutine. It keeps nothing of
	// the record, and neither waits nor allocates.
	Count(*Record)
}

// Context is the $context of an event that has ended.
type Context interface {
	// Variable returns a variable by its whole name, such as
	// "identity.sourceIp": a string or an int64; nil when the event has none.
	// It is computed at each call.
	Variable(name string) any
}

// Payloads is a Context that has what the client sent and got as well. All of it may be
// used until Recorder.Record returns, and is worked out at each call.
type Payloads interface {
	Context
	// Body is what Record.Bytes counts: a message, or a push.
	Body() []byte
	// Answer is what the client was sent for a message, or for a handshake that was
	// refused.
	Answer() []byte
	// Header goes through the header lines of a handshake.
	Header() iter.Seq2[string, string]
	// Query has the parameters of a handshake.
	Query() url.Values
}

// Access describes a refused request: who has sent it, and why it was refused.
// The Record has the API, stage and route. There are no secrets in it. The
// client may have chosen its texts, so they must be escaped where they are
// written.
type Access struct {
	Caller string // a user's ARN, the id of a key, or a principal; empty for an unknown caller
	Source string // the client's address
	// Action and Resource are what IAM has decided on; empty if it was not
	// asked.
	Action, Resource string
	Result           string // a type of gateway response or error: ACCESS_DENIED, GoneException
	// Host and Path are those of a URL that leads to no stage: the Host line,
	// and the path as it came, without its query, at most MaxPath bytes of
	// each. Otherwise they are empty.
	Host, Path string
}

// MaxPath is how many bytes of a refused URL's path are kept.
const MaxPath = 256

// Recorder receives records. Record is called in the event's own goroutine. It
// must be fast and safe for concurrent use.
type Recorder interface {
	Record(*Record)
}

// Discard is a Recorder that drops everything.
var Discard Recorder = discard{}

type discard struct{}

func (discard) Record(*Record) {}
