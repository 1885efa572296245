package httpclient

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/eventloop"
)

// Caller gets the answer of a call that was started.
type Caller interface {
	// Answer is called once: on the loop that the call was started on, even before Start
	// has returned, or on any goroutine when that loop has been closed. Exactly one of
	// the two is nil; the errors are those of Client.Do. The response and its body are
	// the client's again when Answer returns.
	Answer(*Response, error)
}

// Start is Do for a caller on an event loop, which must not block: it begins the call, and
// the answer comes later. Neither the request nor what it holds may be changed until then.
// It is sent over sockets that the loops watch, if it is one for plain HTTP, however large
// its body is; otherwise Do is called in a goroutine.
func (c *Client) Start(ctx context.Context, loop *eventloop.Loop, r *Request, to Caller) {
	if c.instead == nil && r.URL.Scheme == "http" && c.startPlain(ctx, loop, r, to) {
		return
	}
	go func() {
		response, err := c.Do(ctx, r)
		answer := func() { to.Answer(response, err) }
		if !loop.Post(answer) {
			answer()
		}
	}()
}
