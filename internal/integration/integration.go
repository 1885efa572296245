// Package integration holds the backends of routes: Lambda functions, HTTP
// endpoints, AWS services, mocks. Each is a Backend, built once for a
// deployment and called by the gateway for every event of the routes that point
// at it.
package integration

import (
	"context"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/event"
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
