// Package trace has what happened to one event on its way, step by step, for those who
// show it: execution logs, spans of OpenTelemetry, `stagedoor explain`.
//
// An event that nobody watches has no Trace, and that costs nothing:
//
//	if t := e.Trace; t != nil {
//		t.Add(trace.Response{Began: began, Took: took, Status: status, Body: t.Payload(body)})
//	}
//
// A Trace belongs to its event, and so to one goroutine at a time.
package trace

import "strings"

// Trace has the steps of one event, in the order in which they ended.
type Trace struct {
	// Keep is how many bytes of each payload, and of each text that a client or a
	// backend chose, are kept.
	Keep int
	// Thorough is set for who wants to know as well what could have happened:
	// Route.Known.
	Thorough bool
	// Place is where the event is in a trace of OpenTelemetry; the zero value where it is
	// in none, or is not sampled.
	Place Place

	steps []Step
}

// Step is something that happened to an event: one of the types of this package.
type Step interface{ step() }

// maxSteps is how many steps of an event are kept. The way of an event has fewer; a
// template may have many that it reports.
const maxSteps = 256

// Add notes a step.
func (t *Trace) Add(s Step) {
	if len(t.steps) < maxSteps {
		t.steps = append(t.steps, s)
	}
}

// Steps returns what was noted. They are not changed.
func (t *Trace) Steps() []Step { return t.steps }

// Payload returns what is kept of a payload: a copy of its first Keep bytes, with the
// length that it had.
func (t *Trace) Payload(b []byte) Payload {
	kept := b[:min(len(b), t.Keep)]
	return Payload{Kept: append([]byte(nil), kept...), Length: len(b)}
}

// Text is Payload for a text.
func (t *Trace) Text(s string) string { return strings.Clone(s[:min(len(s), t.Keep)]) }

// Payload is the beginning of a payload.
type Payload struct {
	Kept   []byte
	Length int // of the whole, in bytes
}
