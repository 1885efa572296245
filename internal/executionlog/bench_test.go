package executionlog

import (
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
)

// messageOf returns a log at a level, and a message that an HTTP backend has answered.
func messageOf(level string) (*Log, *event.Event) {
	l := New(
		&apigw.Stage{ApiId: "abcdef1234", StageName: "prod", DefaultRouteSettings: &apigw.RouteSettings{LoggingLevel: level}},
		&apigw.Route{RouteKey: "send"}, func(string, string) logsink.Sink { return logsink.Discard },
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
		l, e := messageOf(level)
		ended := e.Time.Add(time.Millisecond)
		allocations.AtMost(t, 0, func() { l.Write(e, ended) })
	}
}

func BenchmarkInfo(b *testing.B) {
	l, e := messageOf(levelInfo)
	ended := e.Time.Add(time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		l.Write(e, ended)
	}
}
