package dualport

import (
	"errors"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/pushserver"
)

// errUnknownHead is for a head that was not recorded, so that it cannot be
// checked. Only a malformed request has none.
var errUnknownHead = errors.New("the request head could not be followed")

// CheckHead returns an error for requests that net/http accepts but that a
// proxy before it may have understood differently, so that the proxy let a
// request pass that it did not see: with a line that does not end with CR LF, a
// folded header line, more than one length of the body, Transfer-Encoding in
// HTTP/1.0, or a target with another host than the Host line. The error's text
// is for the client. The connection must be closed after the answer.
//
// Requests of connections that are not of this package are not checked.
func CheckHead(r *http.Request) error {
	if FromRequest(r) == nil || pushserver.HeadOf(r) != nil { // the form of those is stricter
		return nil
	}
	head, known := headOf(r)
	if !known {
		return errUnknownHead
	}
	if err := checkLines(head); err != nil {
		return err
	}
	return checkFields(r, head)
}

func checkLines(head string) error {
	for line := range strings.Lines(head) {
		text, ok := strings.CutSuffix(line, "\r\n")
		if !ok || strings.IndexByte(text, '\r') >= 0 {
			return errors.New("a line of the request does not end with CR LF")
		}
		if len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
			return errors.New("a header line is folded")
		}
	}
	return nil
}

func checkFields(r *http.Request, head string) error {
	var lengths, encodings int
	host := ""
	for field := range fieldsOf(head) {
		switch {
		case strings.EqualFold(field.Name, "Content-Length"):
			lengths++
		case strings.EqualFold(field.Name, "Transfer-Encoding"):
			encodings++
		case strings.EqualFold(field.Name, "Host"):
			host = field.Value
		}
	}
	switch {
	case lengths+encodings > 1:
		return errors.New("there may be one Content-Length or one Transfer-Encoding, not more")
	case encodings > 0 && !r.ProtoAtLeast(1, 1):
		return errors.New("HTTP/1.0 does not have Transfer-Encoding")
	case r.URL.Host != "" && !strings.EqualFold(r.URL.Host, host):
		return errors.New("the request target names another host than the Host line")
	}
	return nil
}
