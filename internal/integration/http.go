package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// apiIDHeader is the header of API Gateway's calls that has the API's id.
const apiIDHeader = "X-Amzn-Apigateway-Api-Id"

// userAgent returns the User-Agent of API Gateway's calls for an API.
func userAgent(apiID string) string { return "AmazonAPIGateway_" + apiID }

// httpEndpoint is what HTTP and HTTP_PROXY integrations call.
type httpEndpoint struct {
	client  *httpclient.Client
	method  string
	target  *target
	timeout time.Duration
	// prepared is what the requests for messages begin with where nothing is mapped into
	// them. It has the header that they all have.
	prepared *httpclient.Prepared
	port     lastPort
}

// buildHTTP makes the endpoint of an HTTP or HTTP_PROXY integration.
func (b *Builder) buildHTTP(i *apigw.Integration, at Place) (*httpEndpoint, error) {
	h := &httpEndpoint{client: b.HTTP, method: method(i), timeout: timeout(i)}
	if i.ConnectionType == "VPC_LINK" {
		if h.client = b.link(i.ConnectionId); h.client == nil {
			return nil, fmt.Errorf("the VPC link %[1]q has no address here; give it one: --vpc-link %[1]s=HOST:PORT, vpcLinks.%[1]s in the configuration, or its tag "+AddressTag, i.ConnectionId)
		}
	}
	if err := checkHeaders(i, isReserved); err != nil {
		return nil, err
	}
	var err error
	if h.target, err = parseTarget(i.IntegrationUri); err != nil {
		return nil, err
	}
	h.prepared, err = httpclient.Prepare(&httpclient.Request{
		Method: h.method, URL: h.target.url, Header: fixedHeader(i.Type().Proxy, at.APIID),
	})
	return h, err
}

// fixedHeader is the part of a request's header that does not depend on the message.
func fixedHeader(proxy bool, apiID string) httpclient.Header {
	header := httpclient.Header{{Name: "Content-Type", Value: "application/json"}}
	if !proxy {
		header = append(header, httpclient.Field{Name: "Accept", Value: "application/json"})
	}
	return append(header,
		httpclient.Field{Name: "User-Agent", Value: userAgent(apiID)},
		httpclient.Field{Name: apiIDHeader, Value: apiID},
	)
}

// link returns the client of a VPC link, nil where that leads nowhere.
func (b *Builder) link(id string) *httpclient.Client {
	if link := b.Links[id]; link != nil || b.LinkOf == nil {
		return link
	}
	return b.LinkOf(id)
}

// call implements endpoint. The backend sees of the event only what was mapped.
func (h *httpEndpoint) call(ctx context.Context, e *event.Event, request *mapping.Request) (*Response, *failure.Error) {
	o := h.request(e)
	o.WithoutHeader = e.Trace == nil && !e.Answered()
	o.Header = appendTrace(append(o.Header, fixedHeader(false, e.Connection.APIID)...), e)
	if err := h.apply(o, request); err != nil {
		return nil, err
	}
	return h.send(ctx, e, o)
}

// request begins a request for an event.
func (h *httpEndpoint) request(e *event.Event) *httpclient.Request {
	return &httpclient.Request{Method: h.method, URL: h.target.url, Timeout: h.timeout, Patient: e.Type == event.Disconnect}
}

// apply puts what was mapped into a request. A mapped header or query parameter
// replaces all others of its name.
func (h *httpEndpoint) apply(o *httpclient.Request, request *mapping.Request) (err *failure.Error) {
	if err := checkMapped(request.Header, isReserved); err != nil {
		return err
	}
	if o.URL, err = h.target.fill(o.URL, request); err != nil {
		return err
	}
	o.Body = request.Body
	given := o.Header
	o.Header = make(httpclient.Header, 0, len(given)+len(request.Header))
	for _, f := range given {
		if !isMapped(request.Header, f.Name) {
			o.Header = append(o.Header, f)
		}
	}
	for _, p := range request.Header {
		if strings.EqualFold(p.Name, "Host") {
			o.Host = p.Value
			continue
		}
		o.Header = append(o.Header, httpclient.Field(p))
	}
	return nil
}

// isMapped reports whether there is a mapped header of a name, in whatever case.
func isMapped(header []event.Parameter, name string) bool {
	for _, p := range header {
		if strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

// send makes the call.
func (h *httpEndpoint) send(ctx context.Context, e *event.Event, o *httpclient.Request) (*Response, *failure.Error) {
	began := time.Now()
	if e.Trace != nil {
		traceRequest(e.Trace, began, o)
	}
	response, err := h.client.Do(ctx, o)
	if failed := h.note(ctx, e, began, response, err); failed != nil {
		return nil, failed
	}
	return (*Response)(response), nil
}

// note writes down how a call went, and returns what its error means.
func (h *httpEndpoint) note(ctx context.Context, e *event.Event, began time.Time, response *httpclient.Response, err error) *failure.Error {
	e.Integration.Latency = time.Since(began)
	if err == nil {
		e.Integration.Status = response.Status
		if e.Trace != nil {
			traceResponse(e, began, response)
		}
		return nil
	}
	known := failed(ctx, err)
	if known.Kind == failure.Backend {
		known = backendError("%s %s: %s", h.method, h.target.url.Redacted(), known.Reason)
	}
	if e.Trace != nil {
		traceNoResponse(e, began, known)
	}
	return known
}

// httpProxy is HTTP_PROXY: the event goes to an HTTP endpoint as it is.
type httpProxy struct {
	*httpEndpoint
	requests *mapping.Requests // nil: no parameters are mapped
}

// Invoke implements Backend.
func (b *httpProxy) Invoke(ctx context.Context, e *event.Event) (*Response, *failure.Error) {
	o := b.request(e)
	if b.requests != nil || b.target.hasPlaceholders() {
		request := &mapping.Request{Body: e.Body}
		var err *failure.Error
		if b.requests != nil {
			request, err = b.requests.MapParameters(newExchange(e))
		}
		if err == nil {
			err = b.apply(o, request)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.send(ctx, e, o)
}

// request makes the request for an event, before parameters are mapped.
func (b *httpProxy) request(e *event.Event) *httpclient.Request {
	o := b.httpEndpoint.request(e)
	o.Body = e.Body
	o.WithoutHeader = e.Trace == nil && e.Type != event.Connect // of the answer to a message, the client gets the body only
	if e.Type == event.Connect {
		o.Header, o.URL = handshakeHeader(e), withQuery(b.target.url, e.Query)
		o.Header = append(o.Header, fixedHeader(true, e.Connection.APIID)[1:]...)
	} else {
		o.Header = appendForwarded(fixedHeader(true, e.Connection.APIID), e, e.Connection.PortText())
	}
	return o
}

// appendForwarded appends the part of a proxy's header that is about the message and its
// connection.
func appendForwarded(header httpclient.Header, e *event.Event, port string) httpclient.Header {
	return append(appendTrace(header, e),
		httpclient.Field{Name: "X-Forwarded-For", Value: e.Connection.SourceIP},
		httpclient.Field{Name: "X-Forwarded-Port", Value: port},
		httpclient.Field{Name: "X-Forwarded-Proto", Value: e.Connection.Protocol()},
	)
}

// appendTrace appends the part of a header that says where the event is in its trace.
func appendTrace(header httpclient.Header, e *event.Event) httpclient.Header {
	header = append(header, httpclient.Field{Name: "X-Amzn-Trace-Id", Value: e.TraceID})
	if e.TraceParent != "" {
		header = append(header, httpclient.Field{Name: traceParent, Value: e.TraceParent})
	}
	return header
}

// traceParent is the header of W3C's Trace Context that has a place in a trace.
const traceParent = "Traceparent"

// handshakeHeader returns the part of the handshake's header that a backend gets: not the
// lines that are about the connection between client and gateway, and not the client's
// place in a trace where the gateway has its own.
func handshakeHeader(e *event.Event) httpclient.Header {
	header := make(httpclient.Header, 0, len(e.Header)+3)
	for _, f := range e.Header {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Keep-Alive", "Proxy-Connection":
			continue
		case traceParent, "Tracestate":
			if e.TraceParent != "" {
				continue
			}
		}
		header = append(header, httpclient.Field(f))
	}
	if e.TraceParent != "" {
		header = append(header, httpclient.Field{Name: traceParent, Value: e.TraceParent})
	}
	return header
}

// withQuery returns a URL with the client's query behind its own.
func withQuery(target *url.URL, query url.Values) *url.URL {
	if len(query) == 0 {
		return target
	}
	changed := *target
	changed.RawQuery = strings.TrimPrefix(target.RawQuery+"&"+query.Encode(), "&")
	return &changed
}
