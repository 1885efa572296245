// Package integration holds the backends of routes: Lambda functions, HTTP
// endpoints, AWS services, mocks. Each is a Backend, built once for a
// deployment and called by the gateway for every event of the routes that point
// at it.
package integration

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// Event types, as a Lambda function sees them in requestContext.eventType.
const (
	Connect    = "CONNECT"
	Message    = "MESSAGE"
	Disconnect = "DISCONNECT"
)

// Backend is the one seam to the outside. Invoke is called concurrently and
// must not keep the request; of it, it may change Integration only. Exactly one
// of its results is nil.
type Backend interface {
	Invoke(context.Context, *Request) (*Response, *failure.Error)
}

// Connection is what all events of one connection have in common. It is set
// before $connect and not changed after the handshake. A million of them are
// held, so it has nothing that another member tells.
type Connection struct {
	ID          string
	APIID       string
	Stage       string
	DomainName  string // the host that clients and functions know the API by
	ConnectedAt int64  // milliseconds since 1970
	SourceIP    string
	UserAgent   string      // empty when the client sent none
	Authorizer  *Authorizer // nil when $connect was open to everyone
	Port        uint16      // that the client connected to; 0 when it is not known
	Secure      bool        // the client speaks TLS
}

// Authorizer is what the check of who may connect found out. Templates see it
// for the life of the connection.
type Authorizer struct {
	PrincipalID string
	// Context is what a Lambda authorizer returned in context, as text.
	Context []mapping.Parameter
	// Identity is $context.identity but for sourceIp and userAgent: accountId,
	// apiKey, apiKeyId, caller, user, userArn and so on.
	Identity []mapping.Parameter
	// Latency is how long a Lambda authorizer took; 0 where there was none.
	Latency time.Duration
	// APIKey is the key that the client showed, valid or not. It is a secret.
	APIKey string
}

// Request is one event on its way to a backend.
type Request struct {
	*Connection
	EventType string
	RouteKey  string
	RequestID string // of the data plane: 16 characters
	MessageID string // MESSAGE only
	Time      time.Time
	TraceID   string // value of X-Amzn-Trace-Id
	// TwoWay says that the route has a route response.
	TwoWay bool

	Header         Header     // CONNECT only
	Query          url.Values // CONNECT only, decoded
	Body           []byte     // MESSAGE only
	Binary         bool       // the message is a binary one
	StageVariables map[string]string

	CloseCode   int    // DISCONNECT only
	CloseReason string // DISCONNECT only

	// Integration is what a backend tells of its call.
	Integration Outcome
	// Failed is why the event failed, nil while it did not.
	Failed *failure.Error
}

// Outcome is what is known of a call beside its answer. Members that do not
// apply are zero.
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

// answered tells whether the backend's answer reaches the client, as a message
// or as the handshake's answer.
func (r *Request) answered() bool {
	return r.EventType == Connect || r.TwoWay && r.EventType == Message
}

// HeaderField is one header line of the handshake, its name as the client
// wrote it.
type HeaderField struct{ Name, Value string }

// Header is the handshake's header lines in the order they came.
type Header []HeaderField

// Response is what a backend answered.
type Response struct {
	Status int // HTTP status, or the statusCode of a proxy result
	Header http.Header
	Body   []byte
}
