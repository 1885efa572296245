package dualport

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
)

// errUnknownHead: the bytes of the head are gone, so nothing can be said of
// them. It takes a malformed request to get there.
var errUnknownHead = errors.New("the request head could not be followed")

// CheckHead refuses requests that net/http accepts but that another server on
// their way may have understood differently, so that it let something through
// that it did not see: an end of line that is not CR LF, a folded header line,
// two answers to the question how long the body is, Transfer-Encoding in
// HTTP/1.0, a target that names another host than the Host line. The error is
// for the client. The connection must be closed after the answer.
//
// Requests of connections that are not of this package are not judged.
func CheckHead(r *http.Request) error {
	if FromRequest(r) == nil {
		return nil
	}
	head, ok := r.Context().Value(headKey{}).([]byte)
	if !ok {
		return errUnknownHead
	}
	if err := checkLines(head); err != nil {
		return err
	}
	return checkFields(r, parseFields(head))
}

func checkLines(head []byte) error {
	for line := range bytes.Lines(head) {
		text, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || bytes.IndexByte(text, '\r') >= 0 {
			return errors.New("a line of the request does not end with CR LF")
		}
		if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
			return errors.New("a header line is folded")
		}
	}
	return nil
}

func checkFields(r *http.Request, fields []Field) error {
	var lengths, encodings int
	host := ""
	for _, field := range fields {
		switch http.CanonicalHeaderKey(field.Name) {
		case "Content-Length":
			lengths++
		case "Transfer-Encoding":
			encodings++
		case "Host":
			host = field.Value
		}
	}
	switch {
	case lengths+encodings > 1:
		return errors.New("Content-Length and Transfer-Encoding: one line of one of them may be there")
	case encodings > 0 && !r.ProtoAtLeast(1, 1):
		return errors.New("Transfer-Encoding does not belong into HTTP/1.0")
	case r.URL.Host != "" && !strings.EqualFold(r.URL.Host, host):
		return errors.New("the request target names another host than the Host line")
	}
	return nil
}
