package server

import (
	"bytes"
	"io"
	"net/http"
)

// inProcess takes a client's requests to a handler of this process. It is an
// http.RoundTripper.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	received := r.Clone(r.Context())
	received.RequestURI = r.URL.RequestURI()
	if received.Body == nil {
		received.Body = http.NoBody
	}
	defer received.Body.Close()
	answer := &responseBuffer{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(answer, received)
	return &http.Response{
		StatusCode: answer.status, Status: http.StatusText(answer.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.header, Body: io.NopCloser(&answer.body), ContentLength: int64(answer.body.Len()), Request: r,
	}, nil
}

// responseBuffer is an http.ResponseWriter that keeps the answer in memory.
type responseBuffer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *responseBuffer) Header() http.Header         { return a.header }
func (a *responseBuffer) WriteHeader(status int)      { a.status = status }
func (a *responseBuffer) Write(p []byte) (int, error) { return a.body.Write(p) }
