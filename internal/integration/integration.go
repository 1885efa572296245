// Package integration holds the backends of routes: Lambda functions, HTTP
// endpoints, AWS services, mocks. Each is a Backend, built once for a
// deployment and called by the gateway for every event of the routes that point
// at it.
package integration

import (
	"context"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Backend is what an integration calls; the gateway reaches the outside through
// nothing else. Invoke is called concurrently, for different events. It must not
// keep the event, and may change only its Integration. Exactly one of the results
// is nil.
type Backend interface {
	Invoke(context.Context, *event.Event) (*Response, *failure.Error)
}

// Response is what a backend answered, or what the integration's mappings made of
// that.
type Response struct {
	Status int // HTTP status, or the statusCode of a proxy result
	Header http.Header
	Body   []byte
}

// Starter is a Backend that can be called without waiting, on an event loop: see Light.
type Starter interface {
	Backend
	// Start begins a call of Invoke's kind, and returns without having waited for anything. The answer goes to the caller,
	// once: during Start, or later, on the same loop. It is called on the loop. Until the answer the event is the
	// backend's; it must not keep it longer, and may change only its Integration.
	Start(loop *eventloop.Loop, ctx context.Context, e *event.Event, to Caller)
}

// Caller is who started a call.
type Caller interface {
	// Answer is called once, on the loop that the call was started on, or on any goroutine when that has been closed.
	// Exactly one of its arguments is nil. The response and its body are the backend's again when Answer returns.
	Answer(*Response, *failure.Error)
}

// Light returns the Starter that a backend is, nil where it is none or where starting it
// may take long. What a Starter that Light returns does for a message is bounded by the
// message's length: nothing of a user's runs, and nothing is waited for.
func Light(b Backend) Starter {
	if s, ok := b.(interface {
		Starter
		isLight() bool
	}); ok && s.isLight() {
		return s
	}
	return nil
}
