package httpclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// maxPlainBody is the largest body that is sent over a connection of our own. A
// backend may answer before it has read the request; what fits into the socket's
// buffers cannot be held up by that.
const maxPlainBody = 16 << 10

// newNetHTTP makes the transport of net/http that sends what this package does
// not send itself.
func newNetHTTP(dial func(ctx context.Context, network, address string) (net.Conn, error), authorities *x509.CertPool) *http.Transport {
	return &http.Transport{
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: maxIdle,
		MaxIdleConns:        8 * maxIdle,
		IdleConnTimeout:     idleTimeout,
		TLSHandshakeTimeout: dialTimeout,
		DisableCompression:  true, // bodies pass as they are
	}
}

// viaNetHTTP sends a request by net/http.
func (c *Client) viaNetHTTP(ctx context.Context, r *Request) (*Response, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Prepared != nil {
		addHeader(request.Header, r.Prepared.header)
	}
	addHeader(request.Header, r.Header)
	request.Host = r.hostHeader()
	answer, err := c.netHTTP.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	return Read(answer)
}

func addHeader(to http.Header, header Header) {
	for _, f := range header {
		to.Add(f.Name, oneLine(f.Value))
	}
}

// Read reads an answer of net/http whole, within the limits of this package. The
// caller closes its body. The error is ErrTooLarge, or what is wrong with the
// answer.
func Read(answer *http.Response) (*Response, error) {
	if answer.StatusCode > MaxStatus {
		return nil, fmt.Errorf("the answer has the status %d", answer.StatusCode)
	}
	var body []byte
	var err error
	switch n := answer.ContentLength; {
	case n > MaxResponseBytes:
		return nil, ErrTooLarge
	case n >= 0:
		body = make([]byte, n)
		_, err = io.ReadFull(answer.Body, body)
	default:
		body, err = io.ReadAll(io.LimitReader(answer.Body, MaxResponseBytes+1))
	}
	switch {
	case err != nil:
		return nil, unreadable(err)
	case len(body) > MaxResponseBytes:
		return nil, ErrTooLarge
	}
	return &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}, nil
}

// unreadable is the error for a body that could not be read.
func unreadable(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutAnswer
	}
	return fmt.Errorf("reading the answer: %w", err)
}
