package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/lines"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// message is a record of which there are thousands a second.
func message() *dev.Record {
	return &dev.Record{
		Event: telemetry.EventMessage, Time: time.Date(2026, 11, 29, 9, 19, 55, 123456789, time.UTC), Duration: 1213 * time.Microsecond,
		APIID: "a1b2c3d4e5", Stage: "prod", ConnectionID: "gbikqi-vWQAYKEiHxA==", RequestID: "EP5tdH0zIAMEr8w=",
		RouteKey: "$default", Status: 200, Bytes: 128,
	}
}

// A line of a message makes no garbage.
func TestJSONRecordAllocations(t *testing.T) {
	r := newJSONReporter(io.Discard)
	r.Ready(dev.Ready{})
	record := message()
	allocations.AtMost(t, 0, func() { r.Record(record) })
}

// A record from before the first line is printed after it, and as it was then.
func TestJSONRecordBeforeReady(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := newJSONReporter(&out)
	for _, id := range []string{"first", "second"} {
		record := message()
		record.RequestID = id
		r.Record(record)
	}
	r.Ready(dev.Ready{})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	const want = `{"event":"message","time":"2026-11-29T09:19:55.123456789Z","apiId":"a1b2c3d4e5","stage":"prod","connectionId":"gbikqi-vWQAYKEiHxA==",` +
		`"requestId":"second","routeKey":"$default","status":200,"bytes":128,"durationMs":1.213}`
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"event":"ready"`) || !strings.Contains(lines[1], `"requestId":"first"`) || lines[2] != want {
		t.Errorf("printed:\n%s", out.String())
	}
}

func BenchmarkJSONRecord(b *testing.B) {
	r := newJSONReporter(lines.New(io.Discard, lines.Options{Limit: maxUnwritten}))
	r.Ready(dev.Ready{})
	record := message()
	b.ReportAllocs()
	for b.Loop() {
		r.Record(record)
	}
}
