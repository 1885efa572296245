package dualport

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/pushserver"
)

// Field is one header line: its name as the client wrote it, and its value
// without surrounding white space. The lines of a folded header (RFC 9112,
// section 5.2) are joined by one space, as net/http does.
type Field struct{ Name, Value string }

// headOf returns the head of a request as it was sent, and reports whether it is
// known.
func headOf(r *http.Request) (head string, known bool) {
	if head := pushserver.HeadOf(r); head != nil {
		return head.Text, true
	}
	head, known = r.Context().Value(headKey{}).(string)
	return head, known
}

// Header returns the header lines of r in the order they were sent, Host and
// Transfer-Encoding included. Where they were not recorded (the server is not
// attached, or the head is larger than 64 KiB) it returns those of net/http:
// Host first, then canonical names in alphabetical order.
func Header(r *http.Request) []Field {
	if head, known := headOf(r); known {
		fields := make([]Field, 0, strings.Count(head, "\n"))
		return slices.AppendSeq(fields, fieldsOf(head))
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

// fieldsOf yields the lines after the request line. net/http has accepted the head,
// so a line that is not a header is passed over.
func fieldsOf(head string) iter.Seq[Field] {
	return func(yield func(Field) bool) {
		var field Field // that may go on in the next line
		known := false
		_, rest, _ := strings.Cut(head, "\n")
		for line := range strings.Lines(rest) {
			value := strings.Trim(line, " \t\r\n")
			if value == "" {
				continue
			}
			if folded := line[0] == ' ' || line[0] == '\t'; folded && known {
				field.Value = strings.TrimLeft(field.Value+" "+value, " ")
				continue
			}
			name, value, ok := strings.Cut(value, ":")
			if !ok {
				continue
			}
			if known && !yield(field) {
				return
			}
			field, known = Field{name, strings.Trim(value, " \t")}, true
		}
		if known {
			yield(field)
		}
	}
}

// requestLine reports whether head begins with the request line of a request.
func requestLine(head, method, uri string) bool {
	rest, begins := strings.CutPrefix(head, method)
	rest, spaced := strings.CutPrefix(rest, " ")
	rest, goesOn := strings.CutPrefix(rest, uri)
	return begins && spaced && goesOn && strings.HasPrefix(rest, " ")
}
