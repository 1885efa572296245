package executionlog

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
)

// messageOf returns a log at a level, and a message that an HTTP backend has answered.
func messageOf(level string, sink logsink.Sink) (*Log, *event.Event) {
	l := New(
		&apigw.Stage{ApiId: "abcdef1234", StageName: "prod", DefaultRouteSettings: &apigw.RouteSettings{LoggingLevel: level}},
		&apigw.Route{RouteKey: "send"}, func(string, string) logsink.Sink { return sink },
	)
	c := &event.Connection{ID: "abcdefghijklmno=", Endpoint: &event.Endpoint{APIID: "abcdef1234", Stage: "prod"}}
	e := event.New(c, event.Message, time.Now(), nil)
	e.RouteKey, e.Status = "send", 200
	e.Integration.Status, e.Integration.Latency = 200, time.Millisecond
	return l, &e
}

// A message that is logged at INFO allocates nothing, and neither does one that is not
// logged at ERROR.
func TestAllocations(t *testing.T) { // not parallel: it counts those of the process
	for _, level := range []string{levelInfo, levelError} {
		l, e := messageOf(level, logsink.Discard)
		ended := e.Time.Add(time.Millisecond)
		allocations.AtMost(t, 0, func() { l.Write(e, ended) })
	}
}

// BenchmarkInfo is what INFO costs a message, with its lines written to a file.
func BenchmarkInfo(b *testing.B) {
	sinks := logsink.Open(logsink.Options{Execution: logsink.Place{File: filepath.Join(b.TempDir(), "execution.log")}})
	defer sinks.Close()
	l, e := messageOf(levelInfo, sinks.Execution("abcdef1234", "prod"))
	ended := e.Time.Add(time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		l.Write(e, ended)
	}
}
