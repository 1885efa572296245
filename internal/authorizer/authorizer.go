// Package authorizer decides on $connect who may open a connection. There are
// Lambda authorizers of type REQUEST, as in API Gateway, and JWT authorizers, which
// API Gateway has for HTTP APIs only. A plan has the authorizer of its stage; the
// gateway asks it on every handshake, and keeps its Grant with the connection.
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
	// Authorize returns what is known of a client that may connect, or why it may
	// not. The Grant is never nil; with a failure only its Latency is set.
	Authorize(context.Context, Event) (*Grant, *failure.Error)
}

// Event is the CONNECT event, as far as authorizers read it. The first three
// methods are those of mapping.Context.
type Event interface {
	Variable(name string) any
	Parameters(event.Location) iter.Seq2[string, string]
	StageVariables() map[string]string

	// AppendAuthorizerEvent appends the event, as JSON, in the form that a Lambda
	// authorizer gets. methodARN is the ARN of the stage's $connect.
	AppendAuthorizerEvent(dst []byte, methodARN string) []byte
}

// Grant is what an authorizer has found out about a client that may connect.
type Grant struct {
	// Principal is principalId in $context.authorizer of all events.
	Principal string
	// Context are the other members of $context.authorizer. Names are unique; none
	// is principalId, integrationLatency or usageIdentifierKey.
	Context []event.Parameter
	// UsageIdentifierKey is the client's API key, for APIs that take it from
	// the authorizer. It is a secret.
	UsageIdentifierKey string
	// Latency is how long the function took; 0 where none was called.
	Latency time.Duration
	// Protocol is set where the client sent its token as a subprotocol.
	Protocol *Protocol
}

// Protocol says what to do with Sec-WebSocket-Protocol where one of the offered
// subprotocols was a token.
type Protocol struct {
	// Offered is the header's value for backends: the subprotocols that are not
	// the token. Empty: backends do not get the header.
	Offered string
	// Accepted is the subprotocol of the handshake's answer where $connect does
	// not name one: browsers need one of those that they offered.
	Accepted string
}

// unauthorized returns the failure for a client that has not shown who it is.
func unauthorized(format string, args ...any) *failure.Error {
	return failure.New(failure.Unauthorized, format, args...)
}

// failed returns the failure for a decision that could not be made.
func failed(format string, args ...any) *failure.Error {
	return failure.New(failure.Authorizer, format, args...)
}

// misconfigured returns the failure for an authorizer that cannot decide as it is
// configured, or whose answer is not a decision.
func misconfigured(format string, args ...any) *failure.Error {
	return failure.New(failure.AuthorizerConfiguration, format, args...)
}

// reserved reports whether a name in an authorizer's context is one that the gateway
// uses itself.
func reserved(name string) bool {
	return name == "principalId" || name == "integrationLatency" || name == "usageIdentifierKey"
}

// Broken returns the authorizer of a stage whose own cannot be built: it refuses all
// clients, with the error as the reason.
func Broken(err error) Authorizer { return broken{misconfigured("%w", err)} }

type broken struct{ refusal *failure.Error }

func (b broken) Authorize(context.Context, Event) (*Grant, *failure.Error) {
	return new(Grant), b.refusal
}
