package integration

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/textproto"
	"strings"
)

// answerHead is what comes before an answer's body.
type answerHead struct {
	status int
	http10 bool
	header http.Header // nil when it is not wanted

	length     int64  // Content-Length, or -1
	lengthText []byte // as it was written; nil where there is none
	chunked    bool

	closes     bool // the connection ends with the answer
	keepAlive  bool // HTTP/1.0 stays open when it says so
	badTrailer bool // Trailer names what must not be in one
}

// parseHead reads an answer's first line and its header, as net/http does, but
// for what only broken servers send: names with space behind them, lines that
// go on in the next, versions other than HTTP/1.0 and HTTP/1.1.
func parseHead(block []byte, withHeader bool) (answerHead, error) {
	h := answerHead{length: -1}
	line, rest := cutLine(block)
	if err := h.parseStatus(line); err != nil {
		return h, err
	}
	var fields fields
	if withHeader {
		fields.begin(rest)
	}
	for total := len(rest); ; {
		offset := total - len(rest)
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		name, value, ok := cutField(line)
		if !ok {
			return h, fmt.Errorf("the answer's header has the line %q", shortened(line))
		}
		if err := h.note(name, value); err != nil {
			return h, err
		}
		if withHeader {
			start := offset + len(name) + 1 + bytes.Index(line[len(name)+1:], value)
			fields.add(offset, len(name), start, len(value))
		}
	}
	h.header = fields.header
	return h, nil
}

// cutLine takes the line at the beginning of a block, without its end.
func cutLine(block []byte) (line, rest []byte) {
	end := bytes.IndexByte(block, '\n')
	return bytes.TrimSuffix(block[:end], []byte("\r")), block[end+1:]
}

func shortened(line []byte) []byte { return line[:min(len(line), 80)] }

// maxStatus is the highest status that HTTP has a class for (RFC 9110, section
// 15). What is above never reaches a client.
const maxStatus = 599

func (h *answerHead) parseStatus(line []byte) error {
	const version = "HTTP/1.x "
	ok := len(line) >= len(version)+3 && string(line[:7]) == version[:7] && (line[7] == '0' || line[7] == '1') && line[8] == ' ' &&
		(len(line) == len(version)+3 || line[len(version)+3] == ' ')
	if ok {
		for _, c := range line[len(version) : len(version)+3] {
			ok = ok && '0' <= c && c <= '9'
			h.status = 10*h.status + int(c-'0')
		}
	}
	if !ok || h.status < 100 || h.status > maxStatus {
		return fmt.Errorf("the answer begins with %q", shortened(line))
	}
	h.http10 = line[7] == '0'
	return nil
}

// cutField splits a header's line.
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	if !ok || !isToken(name) {
		return nil, nil, false
	}
	value = bytes.Trim(value, " \t")
	return name, value, !hasControl(value)
}

// hasControl reports whether a header's value has a character that must not be
// in one (RFC 9110, section 5.5): any of control but the tab.
func hasControl[T string | []byte](value T) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}

// isToken tells whether a text is a token, as names of headers are.
func isToken[T string | []byte](text T) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x80 || !tokenBytes[c] {
			return false
		}
	}
	return len(text) > 0
}

var tokenBytes = func() (is [0x80]bool) {
	for c := byte(0); c < 0x80; c++ {
		is[c] = '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
	return is
}()

var (
	errLengths   = errors.New("the answer's Content-Length is not a number, or there are two")
	errEncodings = errors.New("the answer has a Transfer-Encoding other than chunked")
)

// note takes what a line of the header says about the body and the connection.
func (h *answerHead) note(name, value []byte) error {
	switch {
	case isName(name, "content-length"):
		n, ok := parseLength(value)
		if !ok || h.lengthText != nil && !bytes.Equal(value, h.lengthText) {
			return errLengths
		}
		h.length, h.lengthText = n, value
	case isName(name, "transfer-encoding"):
		if h.http10 || h.chunked || !isName(value, "chunked") {
			return errEncodings
		}
		h.chunked = true
	case isName(name, "connection"):
		h.closes = h.closes || hasToken(value, "close")
		h.keepAlive = h.keepAlive || hasToken(value, "keep-alive")
	case isName(name, "trailer"):
		for _, forbidden := range []string{"transfer-encoding", "trailer", "content-length"} {
			h.badTrailer = h.badTrailer || hasToken(value, forbidden)
		}
	}
	return nil
}

// isName compares without regard to case; name is in lower case.
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

// hasToken tells whether a list separated by commas has a token.
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

func parseLength(text []byte) (n int64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, len(text) > 0
}

// settle works out what follows the head of the answer to a method, and brings
// the header into the form that net/http gives it.
func (h *answerHead) settle(method string) error {
	if h.badTrailer && h.chunked {
		return errors.New("the answer's Trailer names what belongs in the header")
	}
	if h.http10 {
		h.closes = h.closes || !h.keepAlive
	} else if h.closes {
		delete(h.header, "Connection")
	}
	delete(h.header, "Transfer-Encoding")
	if same := h.header["Content-Length"]; len(same) > 1 {
		h.header["Content-Length"] = same[:1]
	}
	if h.chunked {
		delete(h.header, "Trailer")
	}
	if _, has := h.header["Cache-Control"]; !has && h.header != nil && h.header.Get("Pragma") == "no-cache" {
		h.header["Cache-Control"] = []string{"no-cache"}
	}
	switch {
	case method == http.MethodHead, h.status == http.StatusNoContent, h.status == http.StatusNotModified:
		h.length, h.chunked = 0, false
	case h.chunked && h.length >= 0:
		// One of the two is wrong, so nothing after the answer can be trusted.
		delete(h.header, "Content-Length")
		h.closes = true
	case !h.chunked && h.length < 0:
		h.closes = true
	}
	return nil
}

// fields makes an http.Header out of few allocations: names and values are
// parts of one text.
type fields struct {
	text   string
	values []string
	header http.Header
}

func (f *fields) begin(block []byte) {
	n := bytes.Count(block, []byte("\n"))
	f.text, f.values, f.header = string(block), make([]string, 0, n), make(http.Header, n)
}

// add adds a field that lies at these places of the block.
func (f *fields) add(name, nameLength, value, valueLength int) {
	key := textproto.CanonicalMIMEHeaderKey(f.text[name : name+nameLength])
	f.values = append(f.values, f.text[value:value+valueLength])
	if there := f.header[key]; there != nil {
		f.header[key] = append(there, f.values[len(f.values)-1])
		return
	}
	f.header[key] = f.values[len(f.values)-1 : len(f.values) : len(f.values)]
}
