package integration

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/eventloop"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// isLight reports whether calls by the proxy may be started on a loop: of requests for a
// message nothing is mapped. TLS is left to goroutines.
func (b *httpProxy) isLight() bool {
	return b.requests == nil && !b.target.hasPlaceholders() && b.target.url.Scheme == "http"
}

// Start implements Starter, for messages.
func (b *httpProxy) Start(loop *eventloop.Loop, ctx context.Context, e *event.Event, to Caller) { //nolint:revive // the loop is where all of it runs
	c := newHTTPCall(b.httpEndpoint, ctx, e, to)
	c.request.Body, c.request.WithoutHeader = e.Body, e.Trace == nil
	c.request.Header = appendForwarded(c.request.Header, e, b.port.text(e.Connection))
	c.start(loop)
}

// isLight reports whether calls may be started on a loop: templates print text at most, and
// no more is mapped.
func (b *mapped) isLight() bool {
	if !b.requests.IsLight() || !b.responses.IsLight() {
		return false
	}
	switch endpoint := b.endpoint.(type) {
	case mock:
		return true
	case *httpEndpoint:
		return !endpoint.target.hasPlaceholders() && endpoint.target.url.Scheme == "http"
	}
	return false
}

// Start implements Starter, for messages.
func (b *mapped) Start(loop *eventloop.Loop, ctx context.Context, e *event.Event, to Caller) { //nolint:revive // as above
	body, err := b.requests.MapLight(e.Body, e.Trace)
	if err != nil {
		to.Answer(nil, err)
		return
	}
	h, ok := b.endpoint.(*httpEndpoint)
	if !ok { // a mock
		status, err := mapping.MockStatus(body)
		if err != nil {
			to.Answer(nil, err)
			return
		}
		r, _ := responsePool.Get().(*Response)
		*r = Response{Status: status}
		b.answer(e, r, to)
		responsePool.Put(r)
		return
	}
	c := newHTTPCall(h, ctx, e, to)
	c.mapped = b
	c.request.Body, c.request.WithoutHeader = body, e.Trace == nil && !e.Answered()
	c.request.Header = appendTrace(c.request.Header, e)
	c.start(loop)
}

// answer makes the answer of the endpoint's response, which is its caller's.
func (b *mapped) answer(e *event.Event, r *Response, to Caller) {
	var err *failure.Error
	switch {
	case !e.Answered() || b.responses.Empty() && !e.TwoWay:
		r.Header, r.Body = nil, nil
	default:
		r.Body, err = b.responses.MapLight(e.Body, (*mapping.Response)(r), e.Trace)
		r.Header = nil // none was mapped
	}
	if err != nil {
		to.Answer(nil, err)
		return
	}
	to.Answer(r, nil)
}

var responsePool = sync.Pool{New: func() any { return new(Response) }}

// httpCall is a call of an HTTP endpoint that was started.
type httpCall struct {
	endpoint *httpEndpoint
	mapped   *mapped // nil: the answer is the client's as it is
	ctx      context.Context
	event    *event.Event
	to       Caller
	began    time.Time
	request  httpclient.Request
	fields   [5]httpclient.Field // of the request's header
	response Response
}

var httpCallPool = sync.Pool{New: func() any { return new(httpCall) }}

// newHTTPCall begins a call for a message.
func newHTTPCall(h *httpEndpoint, ctx context.Context, e *event.Event, to Caller) *httpCall { //nolint:revive // the endpoint's
	c, _ := httpCallPool.Get().(*httpCall)
	c.endpoint, c.ctx, c.event, c.to = h, ctx, e, to
	c.request = httpclient.Request{
		Method: h.method, URL: h.target.url, Prepared: h.prepared, Timeout: h.timeout, Header: c.fields[:0],
	}
	return c
}

func (c *httpCall) start(loop *eventloop.Loop) {
	c.began = time.Now()
	if c.event.Trace != nil {
		traceRequest(c.event.Trace, c.began, &c.request)
	}
	c.endpoint.client.Start(c.ctx, loop, &c.request, c)
}

// Answer implements httpclient.Caller.
func (c *httpCall) Answer(r *httpclient.Response, err error) {
	failed := c.endpoint.note(c.ctx, c.event, c.began, r, err)
	switch {
	case failed != nil:
		c.to.Answer(nil, failed)
	case c.mapped != nil:
		c.response = Response(*r)
		c.mapped.answer(c.event, &c.response, c.to)
	default:
		c.to.Answer((*Response)(r), nil)
	}
	*c = httpCall{}
	httpCallPool.Put(c)
}

// lastPort remembers the text of a port: most connections have the same. The zero value
// remembers none.
type lastPort struct{ known atomic.Pointer[portText] }

type portText struct {
	port uint16
	text string
}

// text is the connection's PortText.
func (p *lastPort) text(c *event.Connection) string {
	if known := p.known.Load(); known != nil && known.port == c.Port {
		return known.text
	}
	t := &portText{c.Port, c.PortText()}
	p.known.Store(t)
	return t.text
}
