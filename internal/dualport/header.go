package dualport

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// Field is one header line: its name as the client wrote it, and its value
// without surrounding white space. The lines of a folded header (RFC 9112,
// section 5.2) are joined by one space, as net/http does.
type Field struct{ Name, Value string }

// Header returns the header lines of r in the order they were sent, Host and
// Transfer-Encoding included. Where they were not recorded (the server is not
// attached, or the head is larger than 64 KiB) it returns those of net/http:
// Host first, then canonical names in alphabetical order.
func Header(r *http.Request) []Field {
	if head, ok := r.Context().Value(headKey{}).([]byte); ok {
		return parseFields(head)
	}
	fields := make([]Field, 0, len(r.Header)+1)
	if r.Host != "" {
		fields = append(fields, Field{"Host", r.Host})
	}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range r.Header[name] {
			fields = append(fields, Field{name, value})
		}
	}
	return fields
}

// parseFields reads the lines after the request line. net/http has accepted the
// head, so a line that is not a header is skipped.
func parseFields(head []byte) []Field {
	var fields []Field
	_, rest, _ := bytes.Cut(head, []byte("\n"))
	for line := range bytes.Lines(rest) {
		text := string(line)
		value := strings.Trim(text, " \t\r\n")
		if value == "" {
			continue
		}
		if folded := text[0] == ' ' || text[0] == '\t'; folded && len(fields) > 0 {
			last := &fields[len(fields)-1]
			last.Value = strings.TrimLeft(last.Value+" "+value, " ")
			continue
		}
		if name, value, ok := strings.Cut(value, ":"); ok {
			fields = append(fields, Field{name, strings.Trim(value, " \t")})
		}
	}
	return fields
}

// requestLine reports whether head begins with the request line of a request.
func requestLine(head []byte, method, uri string) bool {
	rest, ok := bytes.CutPrefix(head, []byte(method+" "))
	if !ok {
		return false
	}
	rest, ok = bytes.CutPrefix(rest, []byte(uri))
	return ok && len(rest) > 0 && rest[0] == ' '
}
