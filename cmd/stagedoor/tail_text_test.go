package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// On a wide terminal an event ends with its API and stage, also where the reason of a
// failure has to go below it.
func TestTailPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width  int
		reason string
		want   string // the first line's end
	}{
		{160, "", "  testapi123/prod"},
		{160, "too short", "  too short  testapi123/prod"},
		{160, strings.Repeat("reason ", 30), "  testapi123/prod"},
		{80, "", " ms"},
		{80, strings.Repeat("reason ", 30), " ms"},
		{0, "", " ms"},
	} {
		var out strings.Builder
		r := newTextReporter(&out, true, false, time.Now())
		r.ready, r.width = true, func() int { return c.width }
		r.watched(&eventstream.Event{Record: &telemetry.Record{
			Event: telemetry.EventMessage, APIID: "testapi123", Stage: "prod", ConnectionID: "c", RouteKey: "send", Status: 502, Error: c.reason,
		}})
		text := colours.Compiled().ReplaceAllString(out.String(), "")
		first, below, _ := strings.Cut(text, "\n")
		if !strings.HasSuffix(first, c.want) || (len(c.reason) > 100) != (below != "") {
			t.Errorf("%d columns, %q:\n%s", c.width, c.reason, text)
		}
		if lines := strings.Split(text, "\n"); c.width > 0 && len(lines[0]) > c.width {
			t.Errorf("%d characters in %d columns: %s", len(lines[0]), c.width, lines[0])
		}
	}
}
