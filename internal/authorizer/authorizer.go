// Package authorizer decides on $connect who may open a connection: Lambda
// REQUEST authorizers, as API Gateway has them, and JWT authorizers, which it
// has for HTTP APIs only. The plan builds a stage's authorizer; the gateway
// asks it on every handshake, and keeps what it grants with the connection.
package authorizer

import (
	"context"
	"iter"
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Authorizer decides about handshakes. It is safe for concurrent use.
type Authorizer interface {
	// Authorize gives what is known of a client, or why it may not connect. The
	// grant is there in both cases; with a failure it has the Latency alone.
	Authorize(context.Context, Event) (*Grant, *failure.Error)
}

// Event is what an authorizer reads of the CONNECT event. The first three
// methods are those of mapping.Context.
type Event interface {
	Variable(name string) any
	Parameters(event.Location) iter.Seq2[string, string]
	StageVariables() map[string]string

	// AppendAuthorizerEvent appends the event that a Lambda authorizer gets, as
	// JSON.
	AppendAuthorizerEvent(dst []byte, methodARN string) []byte
}

// Grant is what an authorizer knows of a client that may connect.
type Grant struct {
	// Principal is the principalId of later events.
	Principal string
	// Context is what later events have beside principalId. Its names are
	// unique; none is principalId, integrationLatency or usageIdentifierKey.
	Context []event.Parameter
	// UsageIdentifierKey is the client's API key, for APIs that take it from
	// the authorizer. It is a secret.
	UsageIdentifierKey string
	// Latency is how long the function took; 0 where none was called.
	Latency time.Duration
	// Protocol is set when the client sent its token as a subprotocol.
	Protocol *Protocol
}

// Protocol is what becomes of Sec-WebSocket-Protocol when one of the offered
// subprotocols was a token.
type Protocol struct {
	// Offered is the header's value for backends: what else was offered. Empty:
	// backends see no such header.
	Offered string
	// Accepted is the subprotocol of the handshake's answer when $connect does
	// not name one: browsers want one of those that they offered.
	Accepted string
}

func unauthorized(format string, args ...any) *failure.Error {
	return failure.New(failure.Unauthorized, format, args...)
}

// failed is for a decision that could not be made.
func failed(format string, args ...any) *failure.Error {
	return failure.New(failure.Authorizer, format, args...)
}

// misconfigured is for an authorizer that answers what is no decision.
func misconfigured(format string, args ...any) *failure.Error {
	return failure.New(failure.AuthorizerConfiguration, format, args...)
}

// reserved are names that the gateway gives a meaning of its own.
func reserved(name string) bool {
	return name == "principalId" || name == "integrationLatency" || name == "usageIdentifierKey"
}

// Broken refuses everybody, for a stage whose authorizer cannot be built.
func Broken(err error) Authorizer { return broken{misconfigured("%w", err)} }

type broken struct{ refusal *failure.Error }

func (b broken) Authorize(context.Context, Event) (*Grant, *failure.Error) {
	return new(Grant), b.refusal
}
