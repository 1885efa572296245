package awsservice

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request is one call of an integration. Client.Do does not change it, and does not
// keep it after the call.
type Request struct {
	URI    URI
	Method string            // empty stands for POST
	Header http.Header       // mapped headers, names in canonical form
	Query  url.Values        // mapped query parameters
	Path   map[string]string // values of the URI's placeholders, not escaped
	Body   []byte

	// Backend names what the call counts for in Options.Bounds: a function.
	// Empty: the service in its region.
	Backend string
	// Patient calls wait for their turn however many do: see turnstile.Call.
	Patient bool

	// Role is the integration's CredentialsArn, as CheckCredentials allows it, or
	// empty for the gateway's own credentials.
	Role string
}

const (
	contentType = "Content-Type"
	formType    = "application/x-www-form-urlencoded"
	jsonType    = "application/json"
)

// ownHeaders are the headers that only the gateway may set on calls of AWS. In API
// Gateway an integration that maps one fails.
var ownHeaders = []string{
	"Authorization", "Connection", "Content-Length", "Expect", "Proxy-Authenticate", "Te", "Transfer-Encoding",
}

// IsOwnHeader reports whether a header, in whatever case, is one that an integration
// must not map.
func IsOwnHeader(name string) bool {
	return slices.Contains(ownHeaders, http.CanonicalHeaderKey(name))
}

// Unsigned returns the request of a call as Do sends it, but for its signature, and its
// body. It is for showing it. The error is Do's.
func (c *Client) Unsigned(ctx context.Context, r *Request) (*http.Request, []byte, error) {
	return c.build(ctx, r, r.URI.service())
}

// build makes the request of a call, without its signature. It also returns the
// body, which is signed.
func (c *Client) build(ctx context.Context, r *Request, s service) (*http.Request, []byte, error) {
	header, err := r.header()
	if err != nil {
		return nil, nil, err
	}
	target, err := c.target(r, s)
	if err != nil {
		return nil, nil, err
	}
	query, err := r.query()
	if err != nil {
		return nil, nil, err
	}
	body := r.Body
	if r.URI.Action != "" {
		body = s.setAction(r, header, query)
	}
	for _, name := range []string{contentType, "Accept"} {
		if header.Get(name) == "" {
			header[name] = []string{jsonType}
		}
	}
	target.RawQuery = query.Encode()

	request := &http.Request{
		Method: r.Method, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if request.Method == "" {
		request.Method = http.MethodPost
	}
	if len(body) > 0 {
		request.ContentLength = int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		request.Body, _ = request.GetBody()
	}
	return request.WithContext(ctx), body, nil
}

// target returns the URL of a call, without the query.
func (c *Client) target(r *Request, s service) (*url.URL, error) {
	target, err := c.endpoint(&r.URI, s)
	if err != nil {
		return nil, err
	}
	path, err := r.path(s)
	if err != nil {
		return nil, err
	}
	target.RawPath = target.EscapedPath() + path
	if target.Path, err = url.PathUnescape(target.RawPath); err != nil {
		return nil, &ConfigurationError{fmt.Sprintf("path %s: %v", path, err)}
	}
	return target, nil
}

// header returns a copy of the mapped headers without Host, which is always the
// endpoint's.
func (r *Request) header() (http.Header, error) {
	header := make(http.Header, len(r.Header)+8)
	maps.Copy(header, r.Header)
	for _, name := range ownHeaders {
		if _, mapped := header[name]; mapped {
			return nil, &ConfigurationError{fmt.Sprintf("header %s cannot be mapped in an AWS integration", name)}
		}
	}
	delete(header, "Host")
	return header, nil
}

// setAction puts the URI's action where the service expects it, into the header or
// the query, and returns the body.
func (s service) setAction(r *Request, header http.Header, query url.Values) []byte {
	mapped := header.Get(contentType)
	if s.target != "" && (s.version == "" || isJSON(mapped, r.Body)) {
		header["X-Amz-Target"] = []string{s.target + "." + r.URI.Action}
		if mapped == "" {
			header[contentType] = []string{"application/x-amz-json-" + s.json}
		}
		if len(r.Body) == 0 {
			return []byte("{}")
		}
		return r.Body
	}
	if mapped == "" && len(r.Body) > 0 && !isJSON("", r.Body) {
		header[contentType] = []string{formType}
	}
	inBody := url.Values{}
	if is(header.Get(contentType), formType) {
		// The service refuses a form that cannot be read.
		inBody, _ = url.ParseQuery(string(r.Body))
	}
	for name, value := range map[string]string{"Action": r.URI.Action, "Version": s.version} {
		if !query.Has(name) && !inBody.Has(name) {
			query.Set(name, value)
		}
	}
	return r.Body
}

// isJSON reports whether a body is one of the JSON protocols, and not a form, by its
// mapped Content-Type and its beginning.
func isJSON(mapped string, body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return !is(mapped, formType) && len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

// is reports whether a Content-Type, with whatever parameters, has a media type.
func is(contentType, mediaType string) bool {
	got, _, err := mime.ParseMediaType(contentType)
	return err == nil && got == mediaType
}

// query returns the parameters of the URI's query and the mapped ones. A mapped one
// replaces those of its name.
func (r *Request) query() (url.Values, error) {
	all, err := url.ParseQuery(r.URI.Query)
	if err != nil {
		return nil, &ConfigurationError{fmt.Sprintf("query %q of the integration's URI: %v", r.URI.Query, err)}
	}
	for _, values := range all {
		for i := range values {
			if values[i], err = r.fill(values[i], keep, keep); err != nil {
				return nil, err
			}
		}
	}
	for name, values := range r.Query {
		all[name] = slices.Clone(values)
	}
	return all, nil
}

// keep returns a text as it is.
func keep(s string) string { return s }

// path returns the URI's path, escaped, with the values of its placeholders.
func (r *Request) path(s service) (string, error) {
	if r.URI.Action != "" {
		return "/", nil
	}
	for name, value := range r.Path {
		for segment := range strings.SplitSeq(value, "/") {
			if segment == "." || segment == ".." {
				return "", &ConfigurationError{fmt.Sprintf("the value %q of path parameter %s leads to another path", value, name)}
			}
		}
	}
	value := func(text string) string { return escape(text, s.pathAsIs, false) }
	literal := func(text string) string { return escape(text, true, true) }
	return r.fill(r.URI.Path, literal, value)
}

// fill returns a text with values in the place of its placeholders. The text
// between placeholders is written by literal, and values are written by value.
func (r *Request) fill(text string, literal, value func(string) string) (string, error) {
	var b strings.Builder
	for {
		start := strings.IndexByte(text, '{')
		length := strings.IndexByte(text[max(start, 0):], '}')
		if start < 0 || length < 0 {
			b.WriteString(literal(text))
			return b.String(), nil
		}
		name := text[start+1 : start+length]
		found, ok := r.Path[name]
		if !ok {
			return "", &ConfigurationError{fmt.Sprintf("{%s} in the integration's URI has no value; map integration.request.path.%s", name, name)}
		}
		b.WriteString(literal(text[:start]))
		b.WriteString(value(found))
		text = text[start+length+1:]
	}
}

// escape returns a path in the form that is signed: every byte is escaped but the
// unreserved characters of RFC 3986 and, where they are to be kept, slashes and
// what is escaped already.
func escape(text string, slashes, escapes bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~',
			c == '/' && slashes,
			c == '%' && escapes && isEscape(text[i:]):
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// isEscape reports whether a text begins with %XX.
func isEscape(text string) bool {
	if len(text) < 3 {
		return false
	}
	_, err := url.PathUnescape(text[:3])
	return err == nil
}
