package httpclient

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// Request is what a backend is asked. A client does not change it, and does not
// keep it after the call.
type Request struct {
	Method string   // as it is sent; a token
	URL    *url.URL // absolute, http or https; a fragment and user data are not sent
	Host   string   // of the header Host; empty: the URL's
	// Header is sent in its order, names as they are written. Host and
	// Content-Length are not in it. Line breaks in values become spaces; a name
	// that is not a token is an error.
	Header Header
	Body   []byte
	// Timeout is for all of the call: the wait for its turn, dialling, and the
	// answer with its body.
	Timeout time.Duration

	// Patient requests wait for their turn however many do: see
	// turnstile.Call.
	Patient bool
	// WithoutHeader says that the caller does not look at the answer's header:
	// it stays nil where that saves work.
	WithoutHeader bool
}

// Field is a line of a header.
type Field struct{ Name, Value string }

// Header is the header of a request, in the order in which it is sent.
type Header []Field

// Response is what a backend answered. It is the caller's.
type Response struct {
	Status int         // 200 to MaxStatus
	Header http.Header // with canonical names, as net/http has it
	Body   []byte      // at most MaxResponseBytes
}

// isPlain reports whether the request is sent over a connection of our own.
func (r *Request) isPlain() bool { return r.URL.Scheme == "http" && len(r.Body) <= maxPlainBody }

// hostHeader is the value of the header Host.
func (r *Request) hostHeader() string {
	if r.Host == "" {
		return r.URL.Host
	}
	return oneLine(r.Host)
}

// address is the host:port of the backend.
func (r *Request) address() string {
	switch {
	case r.URL.Port() != "":
		return r.URL.Host
	case r.URL.Scheme == "https":
		return net.JoinHostPort(r.URL.Hostname(), "443")
	}
	return net.JoinHostPort(r.URL.Hostname(), "80")
}
