package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// What clients and functions say stays in its line of the output, and drives no
// terminal: no cursor, no colour, no title, no turned direction.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	const hostile = "a\r\n10:11:12.345  connect  forged\x1b[2J\x1b]0;title\x07\u009b2J\x7f\u202etxt\u2066\x00\x9b"
	var text, lines bytes.Buffer
	for out, r := range map[*bytes.Buffer]dev.Reporter{
		&text: newTextReporter(&text, false, false, time.Now()), &lines: newJSONReporter(&lines),
	} {
		r.Ready(dev.Ready{Public: "http://x"})
		out.Reset()
		r.Record(&dev.Record{Event: "disconnect", ConnectionID: "id==", Status: 4000, Reason: hostile})
		r.Record(&dev.Record{Event: "message", ConnectionID: "id==", RouteKey: hostile, Status: 403, Error: hostile})
		r.Record(&dev.Record{Event: "message", ConnectionID: "id==", Warnings: []string{hostile}})
		r.Output(dev.LogLine{Function: "f", Text: hostile})
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); strings.ContainsFunc(line, terminal.IsControl) || strings.HasPrefix(line, "10:11:12") {
				t.Errorf("%q", line)
			}
		}
	}
	if got := strings.Count(text.String(), "\n"); got != 5 { // a warning has a line of its own
		t.Errorf("%d lines of text: %q", got, &text)
	}
	if got := strings.Count(lines.String(), "\n"); got != 4 {
		t.Errorf("%d lines of JSON: %q", got, &lines)
	}
}
