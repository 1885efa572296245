package gatewaytest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Call is a request that a backend received, whole.
type Call struct {
	Method string
	URL    string // as it was requested
	Host   string
	Header http.Header
	Body   string
}

// Backend is an HTTP server that keeps the requests that it gets. It is used as
// an HTTP backend, or in place of an AWS service.
type Backend struct {
	URL string

	answer http.HandlerFunc
	mu     sync.Mutex
	calls  []Call // guarded by mu
}

// NewBackend starts a backend that ends with the test. answer may read the
// request's body; nil stands for one that sends the body back.
func NewBackend(t testing.TB, answer http.HandlerFunc) *Backend {
	t.Helper()
	b := &Backend{answer: answer}
	if answer == nil {
		b.answer = func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }
	}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

// ServeHTTP implements http.Handler.
func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	b.calls = append(b.calls, Call{r.Method, r.RequestURI, r.Host, r.Header.Clone(), string(body)})
	b.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	b.answer(w, r)
}

// Last is the newest call.
func (b *Backend) Last(t testing.TB) Call {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls) == 0 {
		t.Fatal("the backend was not called")
	}
	return b.calls[len(b.calls)-1]
}

// Calls is how often the backend was called.
func (b *Backend) Calls() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls)
}
