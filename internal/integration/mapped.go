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
	// call makes one call with a mapped request, within the context's time, and
	// tells e.Integration what it learns of it.
	call(ctx context.Context, e *event.Event, request *mapping.Request) (*Response, *failure.Error)
}

// mapped is a non-proxy integration: what its endpoint gets is made by a
// request template, what the client gets by an integration response.
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
	x := mapping.NewExchange(e)
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

// unmapped is the answer where the client gets nothing of it but, on $connect,
// whether it may come in. A function that failed has then nobody to say what
// its error means.
func (b *mapped) unmapped(e *event.Event, response *Response) (*Response, *failure.Error) {
	if e.Integration.Error != "" && b.responses.Empty() {
		return nil, backendError("%s", e.Integration.Error)
	}
	return &Response{Status: response.Status}, nil
}

// mock is the endpoint of a MOCK integration: it answers with the status code
// of its request, and nothing else.
type mock struct{}

func (mock) call(_ context.Context, _ *event.Event, request *mapping.Request) (*Response, *failure.Error) {
	status, err := mapping.MockStatus(request.Body)
	if err != nil {
		return nil, err
	}
	return &Response{Status: status}, nil
}
