package server

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
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

// Whoever asks for many URLs that lead nowhere fills no log, and hides no failure.
func TestRefusedURLsInTheLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := newEventLog(slog.New(slog.NewTextHandler(&out, nil)), config.EventsFailed)
	at := time.Now()
	for second := range 2 {
		for range 1000 {
			l.Record(&telemetry.Record{
				Event: telemetry.EventRefused, Time: at.Add(time.Duration(second) * time.Second), Status: 403, Error: "no such stage",
				Refused: &telemetry.Access{Source: "192.0.2.1", Host: "gateway.example", Path: "/x"},
			})
		}
	}
	l.Record(&telemetry.Record{Event: telemetry.EventMessage, Time: at, Status: 502, Error: "the backend is gone"})
	const line = `msg="URL refused" source=192.0.2.1 host=gateway.example path=/x status=403 error="no such stage"`
	if told := strings.Count(out.String(), line); told != 2*maxRefusals {
		t.Errorf("%d of 2000 refusals are told, want %d", told, 2*maxRefusals)
	}
	if !strings.Contains(out.String(), "the backend is gone") {
		t.Error("a failure is hidden by refusals")
	}
}

// A message that did not fail is counted without an allocation where it is not logged.
func TestEventLogAllocations(t *testing.T) {
	l := newEventLog(slog.New(slog.DiscardHandler), config.EventsFailed)
	record := &telemetry.Record{Event: telemetry.EventMessage, APIID: "api", Stage: "dev", RouteKey: "say", Status: 200}
	allocations.AtMost(t, 0, func() { l.Record(record) })
}
