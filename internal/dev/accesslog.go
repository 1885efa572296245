package dev

import (
	"io"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/accesslog"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/plan"
)

// lineSink writes the lines of all access logs to one output.
type lineSink struct{ out io.Writer }

// Write implements logsink.Sink.
func (s lineSink) Write(e logsink.Entry) {
	_, _ = s.out.Write(append(slices.Clip(e.Line), '\n'))
}

// timedSink writes the lines of all execution logs to one output, with their times.
type timedSink struct{ out io.Writer }

// Write implements logsink.Sink.
func (s timedSink) Write(e logsink.Entry) {
	line := e.Time.UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z ")
	_, _ = s.out.Write(append(append(line, e.Line...), '\n'))
}

// executionLogs returns where the lines of a stage go.
func (c Config) executionLogs(string, string) logsink.Sink { return timedSink{c.ExecutionLog} }

// accessLogs returns where the lines of a stage go, whatever its DestinationArn is.
// Where nobody wants them they are made all the same: a format that names what does not
// exist is told of with its first line.
func (c Config) accessLogs(string) logsink.Sink {
	if c.AccessLog == nil {
		return logsink.Discard
	}
	return lineSink{c.AccessLog}
}

// doubtful are the access logs whose formats name variables that do not exist, by their
// APIs and stages, until a line of them was shown.
type doubtful map[string]*accesslog.Log

// add takes the access logs of new plans.
func (d doubtful) add(plans []*plan.Stage) {
	for _, p := range plans {
		delete(d, p.APIID+"/"+p.Name)
		if p.AccessLog != nil && len(p.AccessLog.Unknown()) > 0 {
			d[p.APIID+"/"+p.Name] = p.AccessLog
		}
	}
}

// warning is what the first event of a stage shows of its access log; empty for others.
func (d doubtful) warning(e *Record) string {
	log := d[e.APIID+"/"+e.Stage]
	ended, is := e.Context.(interface{ Event() *event.Event })
	if log == nil || !is {
		return ""
	}
	delete(d, e.APIID+"/"+e.Stage)
	exist := " does not exist: "
	if len(log.Unknown()) > 1 {
		exist = " do not exist: "
	}
	return "access log: " + strings.Join(log.Unknown(), ", ") + exist + string(log.Append(nil, ended.Event()))
}
