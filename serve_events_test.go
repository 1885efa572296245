package stagedoor

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// A warning is logged beside its event, also where events that did not fail are
// not, and not where none are wanted.
func TestWarningsInTheLog(t *testing.T) {
	t.Parallel()
	for shown, want := range map[string]int{config.EventsAll: 1, config.EventsFailed: 1, config.EventsNone: 0} {
		var out bytes.Buffer
		l := newEventLog(slog.New(slog.NewTextHandler(&out, nil)), shown)
		l.Record(&telemetry.Record{Event: telemetry.EventMessage, APIID: "api", Stage: "dev", RouteKey: "say", Status: 200, Warnings: []string{"line 1: a"}})
		if got := strings.Count(out.String(), `level=WARN msg=warning apiId=api stage=dev routeKey=say warning="line 1: a"`); got != want {
			t.Errorf("%s: %d warnings in\n%s", shown, got, out.String())
		}
	}
}
