package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// httpProxy is HTTP_PROXY: the event goes to an HTTP endpoint as it is.
type httpProxy struct {
	transport *Transport
	method    string
	url       *url.URL
	timeout   time.Duration
}

func (b *Builder) buildHTTPProxy(i *apigw.Integration, uri string) (Backend, error) {
	if i.ConnectionType == "VPC_LINK" {
		return nil, fmt.Errorf("connection type VPC_LINK is not available in this version of Stagedoor")
	}
	target, err := url.Parse(uri)
	if err != nil || (target.Scheme != "http" && target.Scheme != "https") || target.Host == "" {
		return nil, fmt.Errorf("IntegrationUri %q is not an HTTP URL", uri)
	}
	method := i.IntegrationMethod
	if method == "" || method == "ANY" {
		method = http.MethodPost
	}
	return &httpProxy{b.HTTP, method, target, timeout(i)}, nil
}

func (b *httpProxy) Invoke(ctx context.Context, r *Request) (*Response, error) {
	response, err := b.transport.Do(ctx, b.request(r))
	switch {
	case err == nil:
		return response, nil
	case ctx.Err() != nil:
		return nil, interrupted(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errTimeout
	}
	return nil, &Error{FailureBackend, fmt.Sprintf("%s %s: %v", b.method, b.url.Redacted(), err)}
}

func (b *httpProxy) request(r *Request) *outgoing {
	o := &outgoing{method: b.method, url: b.url, body: r.Body, timeout: b.timeout}
	if r.EventType == Connect {
		o.header, o.url = handshakeHeader(r.Header), withQuery(b.url, r.Query)
	} else {
		o.header = append(make(Header, 0, 5),
			HeaderField{"X-Amzn-Trace-Id", r.TraceID},
			HeaderField{"X-Forwarded-For", r.SourceIP},
			HeaderField{"Content-Type", "application/json"},
		)
	}
	o.header = append(o.header,
		HeaderField{"User-Agent", "AmazonAPIGateway_" + r.APIID},
		HeaderField{"X-Amzn-Apigateway-Api-Id", r.APIID},
	)
	return o
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
