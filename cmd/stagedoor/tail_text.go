package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// wide is how many columns a terminal has whose lines have room for the API and the stage.
const wide = 120

// watched prints an event of a gateway that may have several APIs, with its payloads
// below.
func (r *textReporter) watched(e *eventstream.Event) {
	e.Time = e.Time.Local()
	line, below, _ := strings.Cut(r.event(e.Record), "\n")
	place := strings.Trim(visible(e.APIID+"/"+e.Stage), "/")
	if place != "" && r.room() >= max(wide, widthOf(line)+2+widthOf(place)) {
		line += "  " + r.paint(dim, place)
	}
	if below != "" {
		line += "\n" + below
	}
	r.print(line + r.warnings(e.Record) + r.payload(e))
}

// payload is what a client has sent, in lines that begin with >, and what it got, with <.
func (r *textReporter) payload(e *eventstream.Event) (text string) {
	p := &e.Payload
	const sent, got = ">", "<"
	for _, name := range slices.Sorted(maps.Keys(p.Query)) {
		text += r.part(sent, "?"+name+"="+p.Query[name])
	}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		text += r.part(sent, name+": "+p.Headers[name])
	}
	from := sent
	if e.Event == telemetry.EventPush {
		from = got
	}
	text += r.part(from, shown(p.Body, p.BodyBase64, p.BodyCut, e.Bytes))
	return text + r.part(got, shown(p.Answer, p.AnswerBase64, p.AnswerCut, p.AnswerBytes))
}

// shown is a payload for people.
func shown(text, binary string, isCut bool, size int) string {
	var compact bytes.Buffer
	switch {
	case binary != "":
		text = "(binary) " + binary
	case !isCut && json.Compact(&compact, []byte(text)) == nil:
		text = compact.String()
	}
	if isCut {
		text += fmt.Sprintf(" … (%d B in all)", size)
	}
	return text
}

// part is one payload in lines of its own, with a mark before the first; nothing where
// there is none.
func (r *textReporter) part(mark, payload string) string {
	const indent = 6
	if payload == "" {
		return ""
	}
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(payload, "\r\n"), "\n") {
		lines = append(lines, r.broken(visible(strings.TrimSuffix(line, "\r")), indent)...)
	}
	return "\n    " + r.paint(dim, mark) + " " + strings.Join(lines, "\n"+strings.Repeat(" ", indent))
}

// broken is a text in lines that fit the terminal behind an indentation.
func (r *textReporter) broken(text string, indent int) (lines []string) {
	if r.width() == 0 {
		return []string{text}
	}
	rest, room := []rune(text), r.room()-indent
	for len(rest) > room {
		lines, rest = append(lines, string(rest[:room])), rest[room:]
	}
	return append(lines, string(rest))
}
