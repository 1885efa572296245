package pushserver

import (
	"bytes"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// form is what the beginning of what a client has sent is.
type form int

const (
	whole   form = iota // a request that is answered here, or nothing
	partial             // the beginning of what may become one
	foreign             // anything else
)

const (
	method  = "POST "
	version = " HTTP/1.1"
	lineEnd = "\r\n"
	headEnd = "\r\n\r\n"

	// mostLines is how many lines a header may have.
	mostLines = 64
)

// head is a request's head, as far as it was parsed.
type head struct {
	text   string // all of it, with the blank line
	target string
	url    *url.URL
	host   string
	length int // of the body, in bytes
	fields []field
	values []string // of all fields
}

// field is a header line.
type field struct{ name, value string }

// size is that of the request, with its body, in bytes.
func (h *head) size() int { return len(h.text) + h.length }

// parse reads the head of the request that p begins with. headRoom is the largest size
// of a head, and room that of the whole request.
func (h *head) parse(p []byte, headRoom, room int) form {
	if begin := min(len(p), len(method)); string(p[:begin]) != method[:begin] {
		return foreign
	}
	end := bytes.Index(p, []byte(headEnd))
	if end < 0 {
		return beginning(p, headRoom)
	}
	if end += len(headEnd); end > headRoom {
		return foreign
	}
	h.text = string(p[:end])
	if !h.parseText() || h.size() > room {
		return foreign
	}
	if h.size() > len(p) {
		return partial
	}
	return whole
}

// beginning is the form of the beginning of a head.
func beginning(p []byte, room int) form {
	line, _, complete := bytes.Cut(p, []byte("\n"))
	if len(p) >= room || complete && (!bytes.HasSuffix(line, []byte("\r")) || !isManagement(string(line))) {
		return foreign
	}
	return partial
}

// isManagement reports whether a target, or a line with one in it, may be one of
// @connections.
func isManagement(target string) bool {
	return strings.Contains(target, "/@connections/") || strings.Contains(target, "/%40connections/")
}

// parseText parses the whole head, and reports whether its form is that of this package.
func (h *head) parseText() bool {
	line, rest, _ := strings.Cut(h.text, lineEnd)
	target, found := strings.CutSuffix(line[len(method):], version)
	if !found || !isTarget(target) || !isManagement(target) {
		return false
	}
	var err error
	if h.url, err = url.ParseRequestURI(target); err != nil {
		return false
	}
	h.target, h.host, h.length, h.fields = target, "", -1, h.fields[:0]
	for {
		line, rest, _ = strings.Cut(rest, lineEnd)
		if line == "" {
			return h.host != "" && h.length >= 0
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || len(h.fields) == mostLines || !all(name, inName) || name == "" || !all(value, inValue) || !h.add(name, value) {
			return false
		}
	}
}

// add takes a header line, and reports whether it is one that this package knows how to
// deal with.
func (h *head) add(name, value string) bool {
	name = h.canonical(name)
	switch name {
	case "Transfer-Encoding", "Trailer", "Expect", "Upgrade", "Pragma", "Http2-Settings":
		return false
	case "Connection":
		if !strings.EqualFold(value, "keep-alive") {
			return false
		}
	case "Host":
		if h.host != "" || !all(value, inHost) {
			return false
		}
		h.host = value
		return value != ""
	case "Content-Length":
		n, ok := length(value)
		if h.length >= 0 || !ok {
			return false
		}
		h.length = n
	}
	h.fields = append(h.fields, field{name, value})
	return true
}

// length reads a Content-Length of six digits at most.
func length(value string) (n int, ok bool) {
	if value == "" || len(value) > 6 {
		return 0, false
	}
	for _, c := range []byte(value) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// canonical is http.CanonicalHeaderKey. A client's requests have the same lines again
// and again, so the name of the request before is looked at first.
func (h *head) canonical(name string) string {
	if i := len(h.fields); i < cap(h.fields) {
		if before := h.fields[:i+1][i].name; strings.EqualFold(before, name) {
			return before
		}
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// fill puts the fields into an empty header. It is valid until the next request is
// parsed.
func (h *head) fill(header http.Header) {
	h.values = h.values[:0]
	for _, f := range h.fields {
		if before := header[f.name]; before != nil {
			header[f.name] = append(before, f.value)
			continue
		}
		h.values = append(h.values, f.value)
		last := len(h.values) - 1
		header[f.name] = h.values[last : last+1 : last+1]
	}
}

// classes says of each byte where it may be.
var classes = func() (list [256]byte) {
	for c := range 256 {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if letter || c == '-' || c == '_' {
			list[c] |= inName
		}
		if letter || strings.ContainsRune("-.:[]", rune(c)) {
			list[c] |= inHost
		}
		if letter || strings.ContainsRune("-._~!$&'()*+,;=:@/%", rune(c)) {
			list[c] |= inTarget
		}
		if c >= ' ' && c <= '~' || c == '\t' {
			list[c] |= inValue
		}
	}
	return list
}()

const (
	inName byte = 1 << iota
	inHost
	inTarget
	inValue
)

func all(text string, class byte) bool {
	for i := range len(text) {
		if classes[text[i]]&class == 0 {
			return false
		}
	}
	return true
}

// isTarget reports whether a text is a path without a query.
func isTarget(text string) bool { return strings.HasPrefix(text, "/") && all(text, inTarget) }
