// Package accesslog makes the lines of a stage's access log: a format is read once, when
// the stage's plan is made, and each event of the stage becomes a line. What a client
// chose breaks no line: it is escaped by what surrounds it in the format.
//
// The control plane and templates check settings by it, plans have a Log of it, and the
// gateway and the @connections API write to that.
package accesslog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

const (
	// maxValue is how many bytes of a value are printed.
	maxValue = 2 << 10
	// maxLine is how long a line becomes, in bytes, before values are left out.
	maxLine = 64 << 10
)

// missing is printed for what has no value.
const missing = '-'

// Format is the format of lines. It is not changed.
type Format struct {
	parts []part
	plain *plainSet // the characters that stand for themselves outside of quotes

	unknown []string
}

// part is a part of a line: text, and a value behind it.
type part struct {
	text   string
	value  event.Variable // nil: there is none
	place  place
	source source
}

// source is where a value comes from, where that matters.
type source uint8

const (
	given   source = iota // a client may have had a say in it
	own                   // the gateway's own, or the API's
	status                // 200 for a handshake or an end without a backend
	route                 // of a handshake or an end: what AWS calls it, whether there is a route or not
	message               // own, but where it repeats what a client sent
	literal               // message, in quotes

	// What follows is of a handshake that an authorizer has decided on.

	decision // what its answer means
	answer   // what calling its function gave
	refusal  // why it lets nobody in
)

// sources are those of variables that are not given.
var sources = map[string]source{
	"apiId": own, "eventType": own, "extendedRequestId": own, "requestId": own, "stage": own,
	"error.responseType": own, "status": status, "routeKey": route,
	"error.message": message, "error.messageString": literal,
	"authorizer.status": decision, "authorizer.integrationStatus": answer, "authorizer.error": refusal,
}

// isEmpty reports whether a variable is never printed, though events may have it: API
// Gateway leaves these empty for WebSocket APIs (section K.1).
func isEmpty(name string) bool {
	return name == "integrationStatus" || strings.HasPrefix(name, "integration.")
}

// Parse reads a format. Every text is one: CheckFormat says what API Gateway refuses.
func Parse(text string) *Format {
	list := pieces(text)
	settle(list)
	f := &Format{plain: surrounding(list), unknown: unknown(list)}
	f.parts = make([]part, len(list))
	for i, p := range list {
		f.parts[i] = part{text: p.text, place: p.place, source: sources[p.name]}
		switch {
		case p.name == "":
		case p.name == "error.messageString":
			f.parts[i].value, _ = event.Find("error.message")
		default:
			f.parts[i].value = nothing
			if value, known := event.Find(p.name); known && !isEmpty(p.name) {
				f.parts[i].value = value
			}
		}
	}
	return f
}

// Unknown returns the variables that no event has, as the format writes them, each once.
// They are printed as "-".
func (f *Format) Unknown() []string { return f.unknown }

func nothing(*event.Event) event.Value { return event.Value{} }

// Append appends the line of an event, without a line break.
func (f *Format) Append(dst []byte, e *event.Event) []byte {
	before := len(dst)
	for i := range f.parts {
		p := &f.parts[i]
		dst = append(dst, p.text...)
		if p.value == nil {
			continue
		}
		v := p.of(e)
		if len(dst)-before > maxLine {
			v = event.Value{}
		}
		dst = f.append(dst, p, v, e)
	}
	return dst
}

// of is the part's value.
func (p *part) of(e *event.Event) event.Value {
	v := p.value(e)
	if v.Kind != event.Nothing || e.Type != event.Connect && e.Type != event.Disconnect {
		return v
	}
	switch {
	case p.source == status:
		return event.Value{Kind: event.Number, Number: 200}
	case p.source == route && e.Type == event.Connect:
		return event.Value{Kind: event.Text, Text: "$connect"}
	case p.source == route:
		return event.Value{Kind: event.Text, Text: "$disconnect"}
	case p.source >= decision && e.Type == event.Connect:
		return decided(p.source, e)
	}
	return v
}

// decided is what a handshake has of its authorizer beside what that returned; nothing
// where no function was called.
func decided(s source, e *event.Event) event.Value {
	if c := e.Connection.Client; c == nil || c.Latency == 0 {
		return event.Value{}
	}
	failed := e.Failed
	if failed != nil {
		switch failed.Kind {
		case failure.Unauthorized, failure.Denied, failure.Authorizer, failure.AuthorizerConfiguration:
		default: // something else failed behind it
			failed = nil
		}
	}
	switch {
	case s == refusal && failed != nil:
		return event.Value{Kind: event.Text, Text: failed.Message()}
	case s == refusal, s == answer && failed != nil && failed.Kind == failure.Authorizer:
		return event.Value{}
	case s == decision && failed != nil:
		return event.Value{Kind: event.Number, Number: int64(failed.Status())}
	}
	return event.Value{Kind: event.Number, Number: 200}
}

func (f *Format) append(dst []byte, p *part, v event.Value, e *event.Event) []byte {
	switch v.Kind {
	case event.Number:
		return strconv.AppendInt(dst, v.Number, 10)
	case event.Time:
		if p.place == jsonValue {
			return append(v.Append(append(dst, '"')), '"')
		}
		return v.Append(dst)
	case event.Text:
		if v.Text != "" {
			return f.appendText(dst, p, limit(v.Text), e)
		}
	}
	if p.place == xmlHidden { // two hyphens end a comment
		return append(dst, ' ')
	}
	return append(dst, missing)
}

// limit is a text of maxValue bytes at most.
func limit(text string) string {
	if len(text) <= maxValue {
		return text
	}
	end := maxValue
	for end > maxValue-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

func (f *Format) appendText(dst []byte, p *part, text string, e *event.Event) []byte {
	if p.source == literal {
		switch p.place { // where it brings its own quotes
		case bare:
			return append(appendIn(append(dst, '"'), text, quoted), '"')
		case jsonValue:
			return append(appendIn(append(dst, '"'), text, jsonText), '"')
		case csvField:
			return append(appendIn(append(dst, '"'), text, csvQuoted), '"')
		}
		text = `"` + text + `"`
	}
	switch p.place {
	case bare:
		if p.source == own || p.source == route || p.source == message && e.Failed.Text == "" {
			return appendIn(dst, text, quoted) // it may have spaces
		}
		return appendEscaped(dst, text, bare, f.plain)
	case jsonValue:
		if isScalar(text) {
			return append(dst, text...)
		}
		return append(appendIn(append(dst, '"'), text, jsonText), '"')
	case csvField:
		return appendField(dst, text)
	}
	return appendIn(dst, text, p.place)
}

// appendIn appends a text in a place whose escapes are the same in every format.
func appendIn(dst []byte, text string, p place) []byte {
	own := plainJSON
	switch p {
	case xmlText:
		own = plainXML
	case xmlCDATA:
		if dst = appendEscaped(dst, text, p, plainCDATA); text[len(text)-1] == ']' {
			dst = append(dst, "]]><![CDATA["...) // a ">" may follow
		}
		return dst
	case xmlHidden:
		own = plainHidden
	case csvQuoted:
		own = plainCSVQuoted
	case csvPart:
		own = plainCSVPart
	}
	return appendEscaped(dst, text, p, own)
}
