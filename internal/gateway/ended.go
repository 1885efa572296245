package gateway

import (
	"iter"
	"net/url"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// ended is an event at its end, as its record gives it to those who ask for more than the
// record has.
type ended pipeline

var _ telemetry.Payloads = (*ended)(nil)

// Variable implements telemetry.Context.
func (e *ended) Variable(name string) any { return e.event.Variable(name) }

// Event is the event itself, for whoever makes a line of an access log of it.
func (e *ended) Event() *event.Event { return &e.event }

// Body implements telemetry.Payloads.
func (e *ended) Body() []byte { return e.event.Body }

// Answer implements telemetry.Payloads.
func (e *ended) Answer() (answer []byte) {
	p := (*pipeline)(e)
	switch {
	case p.event.Type == event.Message:
		answer, _ = p.frame()
	case p.event.Type == event.Connect && !p.accepted():
		_, answer = p.refusal()
	}
	return answer
}

// Header implements telemetry.Payloads.
func (e *ended) Header() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, line := range e.event.Header {
			if !yield(line.Name, line.Value) {
				return
			}
		}
	}
}

// Query implements telemetry.Payloads.
func (e *ended) Query() url.Values { return e.event.Query }
