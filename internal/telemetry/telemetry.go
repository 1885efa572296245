// Package telemetry carries what happens in the gateway to whoever watches:
// one Record per finished event. The gateway and the @connections API write
// records; the command line prints them.
package telemetry

import "time"

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
	// Context gives the event's $context variables; nil where it has none: only
	// events of connections have some. It may be asked until Recorder.Record
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
	// Unanswered is how many bytes a message's integration answered that nobody
	// gets, because the route has no route response.
	Unanswered int
	// SideBySide is set when another message of the same connection was still
	// worked on when this one was done: their answers may overtake each other.
	SideBySide bool
	// Error says in a sentence for the operator what failed. The client has
	// seen only AWS's own text for it.
	Error string
	// Warnings say in sentences for the operator what is probably a mistake in
	// the API, such as a line of a mapping template that has no effect. Each is
	// told once, with the first event that met it.
	Warnings []string
	// Refused is set when somebody was refused a connection, a push or a URL.
	Refused *Access
}

// Context is the $context of an event that has ended.
type Context interface {
	// Variable returns a variable by its whole name, such as "identity.sourceIp":
	// a string or an int64; nil when the event has none. It is worked out each time
	// that somebody asks.
	Variable(name string) any
}

// Access is who asked for what, and was refused. What has been asked for is the
// Record's API, stage and route. It holds no secrets. The client may have chosen
// its texts: they are to be escaped where they are written.
type Access struct {
	Caller string // a user's ARN, the id of a key, or a principal; empty for nobody known
	Source string // the client's address
	// Action and Resource are what IAM was asked for; empty without it.
	Action, Resource string
	Result           string // a type of gateway response or error: ACCESS_DENIED, GoneException
	// Host and Path are what was asked for by a URL that leads to no stage: the
	// Host line, and the path as it came, without its query, at most MaxPath
	// bytes of each. Else they are empty.
	Host, Path string
}

// MaxPath is the most that is kept of a refused URL's path, in bytes.
const MaxPath = 256

// Recorder receives records. Record is called on the event's own goroutine
// and must be quick and safe for concurrent use.
type Recorder interface {
	Record(*Record)
}

// Discard is a Recorder that drops everything.
var Discard Recorder = discard{}

type discard struct{}

func (discard) Record(*Record) {}
