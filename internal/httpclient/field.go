package httpclient

import (
	"bytes"
	"math"
	"net/http"
	"net/textproto"
	"strings"
)

// cutField splits a header's line. It is not ok where a client must not take it
// for one.
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	if !ok || !isToken(name) {
		return nil, nil, false
	}
	value = bytes.Trim(value, " \t")
	return name, value, !HasControl(value)
}

// HasControl reports whether a text has a character that must not be in the
// value of a header (RFC 9110, section 5.5): a control character that is not the
// tab.
func HasControl[T string | []byte](value T) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// isToken reports whether a text is a token (RFC 9110, section 5.6.2), as names
// of headers are.
func isToken[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x80 || !tokenBytes[c] {
			return false
		}
	}
	return len(text) > 0
}

// tokenBytes are the characters of tokens.
var tokenBytes = func() (is [0x80]bool) {
	for c := byte(0); c < 0x80; c++ {
		is[c] = '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
	return is
}()

// isName reports whether a text is a name, which is in lower case, in whatever
// case.
func isName(text []byte, name string) bool {
	if len(text) != len(name) {
		return false
	}
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

// hasToken reports whether a list separated by commas has a token, which is in
// lower case.
func hasToken(list []byte, token string) bool {
	for more := true; more; {
		var item []byte
		item, list, more = bytes.Cut(list, []byte(","))
		if isName(bytes.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}

// parseLength reads a Content-Length: digits and nothing else.
func parseLength(text []byte) (n int64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(text) > 0
}

// fields collects an http.Header with few allocations: names and values are
// parts of one text, and values parts of one slice.
type fields struct {
	text   string
	values []string
	header http.Header
}

// begin is given the block that all fields lie in.
func (f *fields) begin(block []byte) {
	n := bytes.Count(block, []byte("\n"))
	f.text, f.values, f.header = string(block), make([]string, 0, n), make(http.Header, n)
}

// add adds a field, by the places of its name and its value in the block.
func (f *fields) add(name, nameLength, value, valueLength int) {
	key := textproto.CanonicalMIMEHeaderKey(f.text[name : name+nameLength])
	f.values = append(f.values, f.text[value:value+valueLength])
	if there := f.header[key]; there != nil {
		f.header[key] = append(there, f.values[len(f.values)-1])
		return
	}
	f.header[key] = f.values[len(f.values)-1 : len(f.values) : len(f.values)]
}
