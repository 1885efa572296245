package integration

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// endpoint is what a non-proxy integration calls.
type endpoint interface {
	// call makes one call with a mapped request until ctx ends. It sets what is
	// known of the call in e.Integration.
	call(ctx context.Context, e *event.Event, request *mapping.Request) (*Response, *failure.Error)
}

// mapped is a non-proxy integration: request templates make what the endpoint
// gets, integration responses make what the client gets.
type mapped struct {
	requests  *mapping.Requests
	responses *mapping.Responses
	endpoint  endpoint
	timeout   time.Duration
}

// Invoke implements Backend.
func (b *mapped) Invoke(ctx context.Context, e *event.Event) (*Response, *failure.Error) {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	x := newExchange(e)
	request, err := b.requests.Map(ctx, x)
	if err != nil {
		return nil, err
	}
	response, err := b.endpoint.call(ctx, e, request)
	if err != nil {
		return nil, err
	}
	if !e.Answered() || b.responses.Empty() && !e.TwoWay {
		return b.unmapped(e, response)
	}
	reply, err := b.responses.Map(ctx, x, (*mapping.Response)(response))
	if err != nil {
		return nil, err
	}
	return (*Response)(reply), nil
}

// newExchange begins the mapping of an event, which the event's trace is told of.
func newExchange(e *event.Event) *mapping.Exchange {
	x := mapping.NewExchange(e)
	x.Trace = e.Trace
	return x
}

// unmapped returns the answer where no integration response makes one: only its
// status counts, on $connect. That a function failed is then an error, as no
// integration response can say what it means.
func (b *mapped) unmapped(e *event.Event, response *Response) (*Response, *failure.Error) {
	if e.Integration.Error != "" && b.responses.Empty() {
		return nil, backendError("%s", e.Integration.Error)
	}
	return &Response{Status: response.Status}, nil
}

// mock is the endpoint of a MOCK integration: it answers with the status code that
// the mapped request has, and with nothing else.
type mock struct{}

func (mock) call(_ context.Context, _ *event.Event, request *mapping.Request) (*Response, *failure.Error) {
	status, err := mapping.MockStatus(request.Body)
	if err != nil {
		return nil, err
	}
	return &Response{Status: status}, nil
}
