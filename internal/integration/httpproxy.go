package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// httpProxy is HTTP_PROXY: the event goes to an HTTP endpoint as it is.
type httpProxy struct {
	transport *Transport
	method    string
	url       *url.URL
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
	return &httpProxy{b.HTTP, method, target}, nil
}

func (b *httpProxy) Invoke(ctx context.Context, r *Request) (*Response, error) {
	response, err := b.transport.Do(b.request(ctx, r))
	if err != nil {
		return nil, b.failure(ctx, err)
	}
	return response, nil
}

func (b *httpProxy) failure(ctx context.Context, err error) *Error {
	switch {
	case ctx.Err() != nil:
		return interrupted(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return errTimeout
	}
	return &Error{FailureBackend, fmt.Sprintf("%s %s: %v", b.method, b.url.Redacted(), err)}
}

func (b *httpProxy) request(ctx context.Context, r *Request) *http.Request {
	request := &http.Request{
		Method: b.method, URL: b.url, Host: b.url.Host, Header: make(http.Header, 8),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if r.EventType == Connect {
		b.addHandshake(request, r)
	}
	request.Header["User-Agent"] = []string{"AmazonAPIGateway_" + r.APIID}
	request.Header["X-Amzn-Apigateway-Api-Id"] = []string{r.APIID}
	if r.EventType != Connect {
		request.Header["X-Amzn-Trace-Id"] = []string{r.TraceID}
		request.Header["X-Forwarded-For"] = []string{r.SourceIP}
		request.Header["Content-Type"] = []string{"application/json"}
	}
	if len(r.Body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(r.Body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		request.ContentLength = int64(len(r.Body))
	}
	return request.WithContext(ctx)
}

// addHandshake passes the client's headers and query string on. Header lines
// that belong to the hop between client and gateway stay behind.
func (b *httpProxy) addHandshake(request *http.Request, r *Request) {
	for _, f := range r.Header {
		switch http.CanonicalHeaderKey(f.Name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Keep-Alive", "Proxy-Connection":
		default:
			request.Header.Add(f.Name, f.Value)
		}
	}
	if len(r.Query) == 0 {
		return
	}
	target := *b.url
	query := r.Query.Encode()
	target.RawQuery = strings.TrimPrefix(target.RawQuery+"&"+query, "&")
	request.URL = &target
}
