// Package eventstream shows the events of a gateway to those who watch, as they happen: what
// `stagedoor tail` prints.
//
// A Hub is the recorder of one gateway, and hands its events to watchers. Handler serves
// them as server-sent events, on the admin ports of `serve` and `dev`. A Client follows
// such a stream, also across restarts of the gateway.
package eventstream

import (
	"errors"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Path is where the admin ports of gateways serve their events.
const Path = "/stagedoor/events"

// Source is where the events for watchers come from. A Hub has those of its own gateway.
// One of a cluster has those of all nodes: it asks the other nodes' hubs for them, and
// adds their lines to the same queue.
type Source interface {
	// Watch has every event from now on that fits the query added to the queue, until
	// stop is called. The error is ErrTooMany or ErrStopped.
	Watch(q Query, to *Queue) (stop func(), err error)
	// Stopped is closed when no more events will come.
	Stopped() <-chan struct{}
}

// Errors of Source.Watch.
var (
	// ErrTooMany says that there are as many watchers as there may be.
	ErrTooMany error = &apigw.Error{
		Status: http.StatusTooManyRequests, Type: "TooManyRequestsException", Message: "There are as many watchers of events as a gateway has.",
	}
	// ErrStopped says that the gateway stops.
	ErrStopped error = &apigw.Error{Status: http.StatusServiceUnavailable, Type: "ServiceUnavailableException", Message: "The gateway is stopping."}
)

// errorOf is what a watcher gets for an error of Source.Watch.
func errorOf(err error) *apigw.Error {
	var known *apigw.Error
	if errors.As(err, &known) {
		return known
	}
	return &apigw.Error{Status: http.StatusInternalServerError, Type: "InternalServerErrorException", Message: "The gateway could not do it."}
}
