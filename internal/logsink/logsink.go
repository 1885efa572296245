// Package logsink takes the lines of access logs and execution logs to where the
// configuration says: a file, standard output, syslog, CloudWatch Logs, Firehose,
// OpenTelemetry's protocol, or the gateway's own log. Whoever writes a line never
// waits for it: a place that stands still or refuses lines costs lines, which are
// counted, and nothing else.
package logsink

import "time"

// Entry is one line of a log.
type Entry struct {
	Time time.Time // of what the line tells
	// Line has no line break. The line of an execution log begins with "(requestId) ": the
	// sink puts the time in front of it where the place has none of its own.
	Line []byte
}

// Sink takes lines.
type Sink interface {
	// Write takes a line. It never waits and never fails: a line that cannot be taken is
	// dropped and counted. The line is copied: the caller may use its memory again.
	// It is safe for concurrent use.
	Write(Entry)
}

// Discard is a Sink that drops everything, and counts nothing.
var Discard Sink = discard{}

type discard struct{}

func (discard) Write(Entry) {}

// Destinations are the sinks that there are. They are asked when the plan of a stage is
// made, and not for each line. The same arguments give the same sink.
type Destinations interface {
	// Access returns the sink for the access logs of a stage, by the DestinationArn of its
	// settings.
	Access(destinationARN string) Sink
	// Execution returns the sink for the execution logs of a stage.
	Execution(apiID, stage string) Sink
}
