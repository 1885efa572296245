package eventstream

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/mask"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

const (
	// maxPayload is how many bytes of a payload are shown.
	maxPayload = 4 << 10
	// maxValue is how many bytes of a header line's value, or a parameter's, are shown.
	maxValue = 256
	// maxFields is how many header lines, or parameters, are shown.
	maxFields = 64
)

// appendEvent appends an event as a JSON object, with its payloads where they are wanted.
func appendEvent(dst []byte, r *telemetry.Record, payload bool) []byte {
	dst = telemetry.AppendJSON(dst, r)
	if !payload {
		return dst
	}
	from, ok := r.Context.(telemetry.Payloads)
	if !ok {
		return dst
	}
	dst = dst[:len(dst)-1] // the brace
	if r.Event == telemetry.EventConnect {
		dst = appendFields(dst, "headers", headerFields(from.Header()))
		dst = appendFields(dst, "query", queryFields(from.Query()))
	}
	if body := from.Body(); len(body) > 0 {
		dst = appendPayload(dst, "body", body)
	}
	if answer := from.Answer(); len(answer) > 0 {
		dst = appendPayload(dst, "answer", answer)
		dst = strconv.AppendInt(append(dst, `,"answerBytes":`...), int64(len(answer)), 10)
	}
	return append(dst, '}')
}

// appendPayload appends a member with a payload's beginning, as text or, where it is
// none, in base64, and one that says so if it was cut.
func appendPayload(dst []byte, name string, payload []byte) []byte {
	kept := payload[:min(len(payload), maxPayload)]
	if len(kept) < len(payload) {
		kept = wholeRunes(kept)
	}
	dst = append(append(dst, `,"`...), name...)
	if utf8.Valid(kept) {
		dst = jsonvalue.AppendQuoted(append(dst, `":`...), mask.Append(nil, kept))
	} else {
		dst = append(base64.StdEncoding.AppendEncode(append(dst, `Base64":"`...), kept), '"')
	}
	if len(kept) < len(payload) {
		dst = append(append(append(dst, `,"`...), name...), `Cut":true`...)
	}
	return dst
}

// wholeRunes is a text without the half of a character at its end.
func wholeRunes(text []byte) []byte {
	for cut := range min(utf8.UTFMax, len(text)) {
		if r, size := utf8.DecodeLastRune(text[:len(text)-cut]); r != utf8.RuneError || size > 1 {
			return text[:len(text)-cut]
		}
	}
	return text
}

// Event is an event as a watcher is told of it, read from its JSON object.
type Event struct {
	*telemetry.Record
	Payload Payload
	// Notice is about the stream itself, where it is no event: what is missing.
	Notice string
}

// Payload has what is shown of the payloads of an event. Members that do not apply are
// zero.
type Payload struct {
	Headers      map[string]string `json:"headers"`
	Query        map[string]string `json:"query"`
	Body         string            `json:"body"`
	BodyBase64   string            `json:"bodyBase64"`
	BodyCut      bool              `json:"bodyCut"`
	Answer       string            `json:"answer"`
	AnswerBase64 string            `json:"answerBase64"`
	AnswerCut    bool              `json:"answerCut"`
	AnswerBytes  int               `json:"answerBytes"`
}

// ParseEvent reads an event.
func ParseEvent(line []byte) (*Event, error) {
	var e struct {
		Event, Text string
		Payload
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, err
	}
	if e.Event == noticeEvent {
		return &Event{Notice: e.Text}, nil
	}
	r, err := telemetry.ParseJSON(line)
	if err != nil {
		return nil, err
	}
	if r.Event == "" {
		return nil, errNoEvent
	}
	return &Event{Record: r, Payload: e.Payload}, nil
}
