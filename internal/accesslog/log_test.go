package accesslog_test

import (
	"testing"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/allocations"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
)

// awsFormat is the format that AWS's console offers, with what people add to it.
const awsFormat = `{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", "caller":"$context.identity.caller", ` +
	`"user":"$context.identity.user","requestTime":"$context.requestTime", "eventType":"$context.eventType","routeKey":"$context.routeKey", ` +
	`"status":"$context.status","connectionId":"$context.connectionId","latency":"$context.integrationLatency","error":"$context.error.message"}`

// lastLine is a sink that keeps the last line.
type lastLine struct {
	entry logsink.Entry
	line  []byte
}

func (l *lastLine) Write(e logsink.Entry) { l.entry, l.line = e, append(l.line[:0], e.Line...) }

// A line goes to the sink with the time of its event.
func TestLog(t *testing.T) {
	t.Parallel()
	sink, e := new(lastLine), sample()
	accesslog.New(&apigw.AccessLogSettings{Format: awsFormat + "\n"}, sink).Write(e)
	const want = `{ "requestId":"EP5tdH0zIAMEr8w=", "ip": "203.0.113.7", "caller":"-", "user":"-","requestTime":"25/Sep/2026:09:19:55 +0000", ` +
		`"eventType":"MESSAGE","routeKey":"send it", "status":"200","connectionId":"gbikqi-vWQAYKEiHxA==","latency":"-","error":"-"}`
	if string(sink.line) != want || !sink.entry.Time.Equal(e.Time) {
		t.Errorf("%s, of %v", sink.line, sink.entry.Time)
	}
}

// A line takes no memory of its own.
func TestAllocationsOfLines(t *testing.T) {
	log := accesslog.New(&apigw.AccessLogSettings{Format: awsFormat}, new(lastLine))
	e := sample()
	e.Integration = event.Outcome{Status: 200}
	allocations.AtMost(t, 0, func() { log.Write(e) })
}

func BenchmarkLog(b *testing.B) {
	log := accesslog.New(&apigw.AccessLogSettings{Format: awsFormat}, logsink.Discard)
	e := sample()
	b.ReportAllocs()
	for b.Loop() {
		log.Write(e)
	}
}
