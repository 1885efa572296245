package sigv4

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// usualSize is that of most canonical requests, in bytes.
const usualSize = 512

// canonicalRequest returns the canonical form of the request, which is what is
// signed. faithful is false if the request contradicts that form: it lists its
// signed headers in another order, lacks one of them, or has a hash that is not
// the body's.
func (c *claim) canonicalRequest(body []byte) (text string, faithful bool, err error) {
	payload, faithful, err := c.payload(body)
	if err != nil {
		return "", false, err
	}
	names := strings.Join(c.headerNames, ";")
	faithful = faithful && names == c.headerList
	var b strings.Builder
	b.Grow(usualSize)
	for _, line := range [...]string{c.request.Method, canonicalPath(c.path), canonicalQuery(c.query, c.presigned)} {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	for _, name := range c.headerNames {
		values := headerValues(c.request, name)
		faithful = faithful && values != nil
		b.WriteString(name)
		b.WriteByte(':')
		for i, value := range values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(trim(value))
		}
		b.WriteByte('\n')
	}
	for _, part := range [...]string{"\n", names, "\n", payload} {
		b.WriteString(part)
	}
	return b.String(), faithful, nil
}

// payload returns the last line of the canonical request. A request may declare
// that its body is not signed; otherwise the line is the hash of the body,
// whatever hash the request declares.
func (c *claim) payload(body []byte) (line string, faithful bool, err error) {
	told := strings.Join(c.request.Header["X-Amz-Content-Sha256"], ",")
	if c.presigned && told == "" {
		for _, p := range c.query {
			if strings.EqualFold(p.name, "X-Amz-Content-Sha256") {
				told = p.value
			}
		}
	}
	if strings.HasPrefix(told, "STREAMING-") {
		return "", false, invalid("The payload is signed in chunks (x-amz-content-sha256 is " + quote(told) + "), which is not supported. Sign it as a whole.")
	}
	if told == unsignedPayload {
		return told, true, nil
	}
	hash := hashHex(body)
	return hash, told == "" || told == hash, nil
}

// headerValues returns the values of a header in the order they came; nil where
// the request does not have it. It also finds Host, which net/http keeps
// elsewhere.
func headerValues(r *http.Request, name string) []string {
	if name != "host" {
		return r.Header.Values(name)
	}
	if r.Host == "" {
		return nil
	}
	return []string{r.Host}
}

// trim removes white space at both ends, and replaces several spaces within by
// one.
func trim(value string) string {
	value = strings.Trim(value, " \t")
	if !strings.Contains(value, "  ") && !strings.Contains(value, "\t") {
		return value
	}
	return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' }), " ")
}

// canonicalPath removes empty and dot segments and escapes every segment once
// more: what came as %40 becomes %2540, what came as @ becomes %40. All SDKs
// sign what they send in this way, except for S3.
func canonicalPath(path string) string {
	if strings.HasPrefix(path, "/") && !strings.Contains(path, "//") && !strings.Contains(path, "/.") {
		return escapePath(path)
	}
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(0, len(kept)-1)]
		default:
			kept = append(kept, escape(segment))
		}
	}
	if len(kept) == 0 {
		return "/"
	}
	canonical := "/" + strings.Join(kept, "/")
	if strings.HasSuffix(path, "/") {
		canonical += "/"
	}
	return canonical
}

// parameter is a part of the query string, without escapes.
type parameter struct{ name, value string }

// parseQuery splits a query string. A plus sign is a space, as everywhere in
// the gateway. An empty parameter counts as one with an empty name, so that
// more ampersands make another query.
func parseQuery(raw string) ([]parameter, error) {
	if raw == "" {
		return nil, nil
	}
	parameters := make([]parameter, 0, strings.Count(raw, "&")+1)
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		p := parameter{}
		var ok bool
		if p.name, ok = unescape(name); ok {
			p.value, ok = unescape(value)
		}
		if !ok {
			return nil, malformed("Illegal hex character in escape % pattern: " + quote(pair))
		}
		parameters = append(parameters, p)
	}
	return parameters, nil
}

// canonicalQuery sorts the parameters by their escaped names, then values. A
// presigned request does not sign its own signature.
func canonicalQuery(query []parameter, presigned bool) string {
	if len(query) == 0 {
		return ""
	}
	escaped := make([]parameter, 0, len(query))
	for _, p := range query {
		if !presigned || p.name != "X-Amz-Signature" {
			escaped = append(escaped, parameter{escape(p.name), escape(p.value)})
		}
	}
	slices.SortFunc(escaped, func(a, b parameter) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	var b strings.Builder
	for i, p := range escaped {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}
