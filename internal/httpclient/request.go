package httpclient

import (
	"iter"
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
	// Prepared is what Prepare has made for the same method, URL and host. Its header
	// goes before Header. Nil: there is none.
	Prepared *Prepared
	Body     []byte
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

// Prepared is what many requests begin with, as it is sent.
type Prepared struct {
	address string // host:port
	header  Header
	wire    []byte
}

// Prepare makes what requests of a method to a URL begin with, the header included that all
// of them have. Of the request, nothing but its Method, URL, Host and Header is used. The
// error is for a name in its header that is not a token.
func Prepare(r *Request) (*Prepared, error) {
	wire, err := appendHead(nil, r)
	return &Prepared{r.address(), r.Header, wire}, err
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

// Fields goes through the header that is sent, but for Host and Content-Length.
func (r *Request) Fields() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		if r.Prepared != nil {
			for _, f := range r.Prepared.header {
				if !yield(f) {
					return
				}
			}
		}
		for _, f := range r.Header {
			if !yield(f) {
				return
			}
		}
	}
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
	case r.Prepared != nil:
		return r.Prepared.address
	case r.URL.Port() != "":
		return r.URL.Host
	case r.URL.Scheme == "https":
		return net.JoinHostPort(r.URL.Hostname(), "443")
	}
	return net.JoinHostPort(r.URL.Hostname(), "80")
}

// isIdempotent reports whether a request with a method may be sent twice (RFC 9110,
// section 9.2.2).
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
