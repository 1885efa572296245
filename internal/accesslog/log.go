package accesslog

import (
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/logsink"
)

// Log is a stage's access log. It is part of a plan, and not changed.
type Log struct {
	*Format
	sink logsink.Sink
}

// New makes the log of a stage. Settings that Check refuses are taken all the same: they
// were stored before there was a check.
func New(s *apigw.AccessLogSettings, sink logsink.Sink) *Log {
	return &Log{Format: Parse(s.Format), sink: sink}
}

// maxPooled is how large a buffer may be that is kept.
const maxPooled = 8 << 10

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Write writes the line of an event that has ended. It never waits. It may be called on
// an event loop.
func (l *Log) Write(e *event.Event) {
	b := buffers.Get().(*[]byte)
	line := l.Append((*b)[:0], e)
	l.sink.Write(logsink.Entry{Time: e.Time, Line: line})
	if cap(line) <= maxPooled {
		*b = line
	}
	buffers.Put(b)
}
