// Package integration holds the backends of routes: Lambda functions, HTTP
// endpoints, mocks. Each is a Backend, built once for a deployment and called
// by the gateway for every event of the routes that point at it.
package integration

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Event types, as a Lambda function sees them in requestContext.eventType.
const (
	Connect    = "CONNECT"
	Message    = "MESSAGE"
	Disconnect = "DISCONNECT"
)

// Backend is the one seam to the outside. Invoke is called concurrently and
// must not keep the request. Every failure is an *Error.
type Backend interface {
	Invoke(context.Context, *Request) (*Response, error)
}

// Connection is what all events of one connection have in common. It is set
// before $connect and not changed after the handshake.
type Connection struct {
	ID          string
	APIID       string
	Stage       string
	DomainName  string // the host that clients and functions know the API by
	ConnectedAt time.Time
	SourceIP    string
	UserAgent   string // empty when the client sent none
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

	Header         Header     // CONNECT only
	Query          url.Values // CONNECT only, decoded
	Body           []byte     // MESSAGE only
	StageVariables map[string]string

	CloseCode   int    // DISCONNECT only
	CloseReason string // DISCONNECT only
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
