package executionlog

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/mask"
)

const (
	// maxLine is how long a line is at most, in bytes, with its request id and the mark
	// that it was cut off.
	maxLine   = 1024
	truncated = " [TRUNCATED]"
)

// writer writes the lines of one event after another. What it has of one is set by begin.
type writer struct {
	log    *Log
	event  *event.Event
	group  logsink.Group
	prefix int    // how much of the text every line begins with
	text   []byte // of the line
	masked []byte // room for what secrets are hidden in
}

func (w *writer) begin(l *Log, e *event.Event) {
	w.log, w.event = l, e
	w.group.Begin(l.sink)
	w.text = append(append(append(w.text[:0], '('), e.RequestID...), ") "...)
	w.prefix = len(w.text)
}

// end writes the lines out, and forgets the event.
func (w *writer) end() {
	w.group.End()
	w.log, w.event = nil, nil
}

// line adds a line of parts that are the gateway's own, or the API's: ids, keys of routes.
func (w *writer) line(at time.Time, parts ...string) {
	w.start()
	w.add(parts...)
	w.finish(at)
}

// start begins a line, of which add, addText and addNumber make more, up to finish.
func (w *writer) start() { w.text = w.text[:w.prefix] }

// add appends parts as they are.
func (w *writer) add(parts ...string) {
	for _, part := range parts {
		w.text = append(w.text, part...)
	}
}

// addText appends a text that somebody else chose.
func (w *writer) addText(text string) { w.text = appendEscaped(w.text, text) }

func (w *writer) addNumber(n int) { w.text = strconv.AppendInt(w.text, int64(n), 10) }

// addSecret appends a payload with its secrets hidden.
func (w *writer) addSecret(payload []byte) {
	w.masked = mask.Append(w.masked[:0], payload[:min(len(payload), MaxPayload)])
	w.text = appendEscaped(w.text, w.masked)
}

// MaxPayload is how much of a payload is looked at, in bytes: a line has less, but what is
// hidden in it is short. A trace for a Log keeps as much.
const MaxPayload = 4 * maxLine

// finish ends a line, which is cut off where it is too long.
func (w *writer) finish(at time.Time) {
	if len(w.text) > maxLine {
		end := maxLine - len(truncated)
		for !utf8.RuneStart(w.text[end]) {
			end--
		}
		w.text = append(w.text[:end], truncated...)
	}
	w.group.Add(logsink.Entry{Time: at, Line: w.text})
}

// appendEscaped appends a text so that it can neither break the line nor drive a
// terminal. It stops where the line is longer than it may be.
func appendEscaped[T string | []byte](dst []byte, text T) []byte {
	for i := 0; i < len(text) && len(dst) <= maxLine; {
		plain := i
		for i < len(text) && text[i] >= ' ' && text[i] < 0x7f {
			i++
		}
		if i > plain {
			// One byte more than a line may have shows that it is too long.
			end := min(i, plain+maxLine+1-len(dst))
			dst = append(dst, text[plain:end]...)
			continue
		}
		r, size := utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)]))
		i += size
		dst = appendCharacter(dst, r)
	}
	return dst
}

func appendCharacter(dst []byte, r rune) []byte {
	switch {
	case r == '\n':
		return append(dst, `\n`...)
	case r == '\r':
		return append(dst, `\r`...)
	case r == '\t':
		return append(dst, `\t`...)
	case r < ' ', r >= 0x7f && r <= 0x9f, r == '\u2028', r == '\u2029':
		dst = append(dst, `\u`...)
		for shift := 12; shift >= 0; shift -= 4 {
			dst = append(dst, "0123456789abcdef"[r>>shift&15])
		}
		return dst
	}
	return utf8.AppendRune(dst, r) // U+FFFD for what is no UTF-8
}

// key is the client's API key as it is shown; empty where the route needs none.
func (w *writer) key() string {
	if c := w.event.Connection.Client; w.log.keyRequired && c != nil {
		return stars(c.APIKey)
	}
	return ""
}

// status is what the backend answered, or what the failure counts as.
func (w *writer) status() int {
	if w.event.Failed != nil {
		return w.event.Failed.Status()
	}
	return w.event.Status
}
