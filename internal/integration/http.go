package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// httpEndpoint is what HTTP and HTTP_PROXY integrations call.
type httpEndpoint struct {
	transport *Transport
	method    string
	target    *target
	timeout   time.Duration
}

func (b *Builder) buildHTTP(i *apigw.Integration) (*httpEndpoint, error) {
	e := &httpEndpoint{transport: b.HTTP, method: method(i), timeout: timeout(i)}
	if i.ConnectionType == "VPC_LINK" {
		if e.transport = b.link(i.ConnectionId); e.transport == nil {
			return nil, fmt.Errorf("the VPC link %[1]q has no address here; give it one: --vpc-link %[1]s=HOST:PORT, vpcLinks.%[1]s in the configuration, or its tag "+AddressTag, i.ConnectionId)
		}
	}
	if err := checkHeaders(i, isReserved); err != nil {
		return nil, err
	}
	var err error
	e.target, err = parseTarget(i.IntegrationUri)
	return e, err
}

// link gives the transport of a VPC link, nil if it leads nowhere.
func (b *Builder) link(id string) *Transport {
	if link := b.Links[id]; link != nil || b.LinkOf == nil {
		return link
	}
	return b.LinkOf(id)
}

// call implements endpoint. The backend sees of the event only what was mapped.
func (e *httpEndpoint) call(ctx context.Context, r *Request, request *mapping.Request) (*Response, error) {
	o := &outgoing{
		method: e.method, url: e.target.url, timeout: e.timeout, patient: r.EventType == Disconnect, withoutHeader: !r.answered(),
		header: append(make(Header, 0, 5+len(request.Header)),
			HeaderField{"Content-Type", "application/json"},
			HeaderField{"Accept", "application/json"},
			HeaderField{"X-Amzn-Trace-Id", r.TraceID},
			HeaderField{"User-Agent", "AmazonAPIGateway_" + r.APIID},
			HeaderField{"X-Amzn-Apigateway-Api-Id", r.APIID},
		),
	}
	if err := e.apply(o, request); err != nil {
		return nil, err
	}
	return e.send(ctx, r, o)
}

// apply puts what was mapped into a request. Mapped headers and query
// parameters take the place of others of the same name.
func (e *httpEndpoint) apply(o *outgoing, request *mapping.Request) (err error) {
	if err := checkMapped(request.Header, isReserved); err != nil {
		return err
	}
	if o.url, err = e.target.fill(o.url, request); err != nil {
		return err
	}
	o.body = request.Body
	given := o.header
	o.header = make(Header, 0, len(given)+len(request.Header))
	for _, f := range given {
		if !isMapped(request.Header, f.Name) {
			o.header = append(o.header, f)
		}
	}
	for _, p := range request.Header {
		if strings.EqualFold(p.Name, "Host") {
			o.host = p.Value
			continue
		}
		o.header = append(o.header, HeaderField(p))
	}
	return nil
}

func isMapped(header []mapping.Parameter, name string) bool {
	for _, p := range header {
		if strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

// send makes the call.
func (e *httpEndpoint) send(ctx context.Context, r *Request, o *outgoing) (*Response, error) {
	began := time.Now()
	response, err := e.transport.Do(ctx, o)
	r.Integration.Latency = time.Since(began)
	if err == nil {
		r.Integration.Status = response.Status
		return response, nil
	}
	known := failed(ctx, err)
	if known.Failure == FailureBackend {
		known = &Error{Failure: FailureBackend, Reason: fmt.Sprintf("%s %s: %s", e.method, e.target.url.Redacted(), known.Reason)}
	}
	return nil, known
}

// httpProxy is HTTP_PROXY: the event goes to an HTTP endpoint as it is.
type httpProxy struct {
	*httpEndpoint
	requests *mapping.Requests // nil: no parameters are mapped
}

// Invoke implements Backend.
func (b *httpProxy) Invoke(ctx context.Context, r *Request) (*Response, error) {
	o := b.request(r)
	if b.requests != nil || b.target.isOpen() {
		request := &mapping.Request{Body: r.Body}
		var err error
		if b.requests != nil {
			request, err = b.requests.MapParameters(mapping.NewExchange(r.Context()))
		}
		if err == nil {
			err = b.apply(o, request)
		}
		if err != nil {
			return nil, failed(ctx, err)
		}
	}
	return b.send(ctx, r, o)
}

func (b *httpProxy) request(r *Request) *outgoing {
	o := &outgoing{
		method: b.method, url: b.target.url, body: r.Body, timeout: b.timeout, patient: r.EventType == Disconnect,
		withoutHeader: r.EventType != Connect, // the body is all that a message is answered with
	}
	if r.EventType == Connect {
		o.header, o.url = handshakeHeader(r.Header), withQuery(b.target.url, r.Query)
	} else {
		o.header = append(make(Header, 0, 7),
			HeaderField{"X-Amzn-Trace-Id", r.TraceID},
			HeaderField{"X-Forwarded-For", r.SourceIP},
			HeaderField{"X-Forwarded-Port", r.port()},
			HeaderField{"X-Forwarded-Proto", r.proto()},
			HeaderField{"Content-Type", "application/json"},
		)
	}
	o.header = append(o.header,
		HeaderField{"User-Agent", "AmazonAPIGateway_" + r.APIID},
		HeaderField{"X-Amzn-Apigateway-Api-Id", r.APIID},
	)
	return o
}

// port is the port that the client connected to; empty when it is not known.
func (c *Connection) port() string {
	if c.Port == 0 {
		return ""
	}
	return strconv.Itoa(int(c.Port))
}

// proto is what the client speaks.
func (c *Connection) proto() string {
	if c.Secure {
		return "https"
	}
	return "http"
}

// handshakeHeader is what a backend sees of the client's header. Lines that
// belong to the hop between client and gateway stay behind.
func handshakeHeader(client Header) Header {
	header := make(Header, 0, len(client)+2)
	for _, f := range client {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Keep-Alive", "Proxy-Connection":
		default:
			header = append(header, f)
		}
	}
	return header
}

// withQuery adds the client's query string to a URL.
func withQuery(target *url.URL, query url.Values) *url.URL {
	if len(query) == 0 {
		return target
	}
	changed := *target
	changed.RawQuery = strings.TrimPrefix(target.RawQuery+"&"+query.Encode(), "&")
	return &changed
}
