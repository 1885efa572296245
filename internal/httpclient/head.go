package httpclient

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
)

// MaxStatus is the highest status that HTTP has a class for (RFC 9110, section
// 15). An answer with a higher one is an error: it never reaches a client.
const MaxStatus = 599

// blockEnd finds, from an offset on, the empty line that ends a header, and
// returns the offset behind it, or -1. Lines end with CRLF or, as old servers
// write them, with LF.
func blockEnd(b []byte, from int) int {
	for {
		newline := bytes.IndexByte(b[from:], '\n')
		if newline < 0 {
			return -1
		}
		from += newline + 1
		switch rest := b[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}

// answerHead is what an answer's first line and its header say.
type answerHead struct {
	status int
	http10 bool
	header http.Header // nil when it is not wanted

	length     int64  // Content-Length, or -1
	lengthText []byte // as it was written, to compare a second one with; nil: there is none
	chunked    bool

	closes     bool // the connection ends with the answer
	keepAlive  bool // HTTP/1.0 stays open when it says so
	badTrailer bool // Trailer names what must not be in one
}

// parseHead reads an answer's first line and its header. It accepts what
// net/http does, but for what only broken servers send: names with space behind
// them, lines that go on in the next, versions other than HTTP/1.0 and HTTP/1.1.
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
	h.header, h.lengthText = fields.header, nil
	return h, nil
}

// cutLine splits a block, which ends with a line's end, behind its first line.
// The line comes without its end.
func cutLine(block []byte) (line, rest []byte) {
	end := bytes.IndexByte(block, '\n')
	return bytes.TrimSuffix(block[:end], []byte("\r")), block[end+1:]
}

// shortened returns as much of a line as an error quotes.
func shortened(line []byte) []byte { return line[:min(len(line), 80)] }

// parseStatus reads the first line: "HTTP/1.1 200 OK".
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
	if !ok || h.status < 100 || h.status > MaxStatus {
		return fmt.Errorf("the answer begins with %q", shortened(line))
	}
	h.http10 = line[7] == '0'
	return nil
}

var (
	errLengths   = errors.New("the answer's Content-Length is not a number, or there are two")
	errEncodings = errors.New("the answer has a Transfer-Encoding other than chunked")
)

// note remembers what a line of the header says about the body and the
// connection. The error is for what cannot be meant.
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

// settle works out, when the whole head is read, what follows it in the answer to a
// method, and whether the connection goes on. It brings the header into the form in
// which net/http returns it.
func (h *answerHead) settle(method string) error {
	if h.badTrailer && h.chunked {
		return errors.New("the answer's Trailer names what belongs in the header")
	}
	if h.http10 {
		h.closes = h.closes || !h.keepAlive
	} else if h.closes {
		delete(h.header, "Connection")
	}
	h.settleHeader()
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

// settleHeader changes the header as net/http does, but for what is about the
// connection.
func (h *answerHead) settleHeader() {
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
}
