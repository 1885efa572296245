package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sync"

	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// jsonReporter prints one JSON object per line, for scripts. The first is
// always "ready".
type jsonReporter struct {
	mu    sync.Mutex
	out   io.Writer // guarded by mu
	ready bool      // guarded by mu
	held  []any     // guarded by mu: events from before the gateway was ready
}

func newJSONReporter(out io.Writer) *jsonReporter {
	return &jsonReporter{out: terminal.EscapeControls(out)}
}

func (r *jsonReporter) print(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.held = append(r.held, event)
		return
	}
	r.writeLocked(event)
}

// writeLocked writes an event as a line. A json.RawMessage is a line already.
func (r *jsonReporter) writeLocked(event any) {
	if line, ok := event.(json.RawMessage); ok {
		_, _ = r.out.Write(line)
		return
	}
	encoder := json.NewEncoder(r.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(event) // if it fails, nobody reads the output any more
}

type readyJSON struct {
	Event  string `json:"event"`
	Public string `json:"public"`
	Admin  string `json:"admin"`
	// Push is the URL for pushing messages, with {id} in the place of the
	// connection's id. It is empty if the URL needs a stage.
	Push string `json:"push,omitempty"`
	applicationJSON
}

type applicationJSON struct {
	Template string       `json:"template"`
	Note     string       `json:"note,omitempty"`
	APIs     []apiJSON    `json:"apis"`
	Notices  []noticeJSON `json:"notices,omitempty"`
	Problems []string     `json:"problems,omitempty"`
	Warnings []string     `json:"warnings,omitempty"`
}

type apiJSON struct {
	APIID  string      `json:"apiId"`
	Name   string      `json:"name"`
	Stages []string    `json:"stages"`
	URLs   []string    `json:"urls"`
	Routes []routeJSON `json:"routes"`
}

type routeJSON struct {
	RouteKey string `json:"routeKey"`
	Target   string `json:"target,omitempty"`
	TwoWay   bool   `json:"twoWay,omitempty"`
}

type noticeJSON struct {
	Line     int    `json:"line"`
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Property string `json:"property,omitempty"`
	Message  string `json:"message"`
}

func newApplicationJSON(a dev.Application) applicationJSON {
	out := applicationJSON{Template: a.Template, Note: a.Note, APIs: []apiJSON{}, Problems: a.Problems, Warnings: a.Warnings}
	for _, api := range a.APIs {
		next := apiJSON{APIID: api.ID, Name: api.Name, Stages: append([]string{}, api.Stages...), URLs: append([]string{}, api.URLs...), Routes: []routeJSON{}}
		for _, route := range api.Routes {
			next.Routes = append(next.Routes, routeJSON{route.Key, route.Target, route.TwoWay})
		}
		out.APIs = append(out.APIs, next)
	}
	for _, n := range a.Notices {
		out.Notices = append(out.Notices, noticeJSON{n.Line, n.LogicalID, n.Type, n.Property, n.Message})
	}
	return out
}

// Ready prints the first line, then the events from before it.
func (r *jsonReporter) Ready(ready dev.Ready) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
	push := ""
	if ready.AtRoot {
		push = pushURL(ready)
	}
	r.writeLocked(readyJSON{"ready", ready.Public, ready.Admin, push, newApplicationJSON(ready.Application)})
	for _, event := range r.held {
		r.writeLocked(event)
	}
	r.held = nil
}

// Reloaded prints the application of a changed template.
func (r *jsonReporter) Reloaded(a dev.Application) {
	r.print(struct {
		Event string `json:"event"`
		applicationJSON
	}{"reloaded", newApplicationJSON(a)})
}

// Rejected prints why a changed template was not put into effect.
func (r *jsonReporter) Rejected(err error) {
	out := struct {
		Event    string        `json:"event"`
		Error    string        `json:"error,omitempty"`
		Problems []problemJSON `json:"problems,omitempty"`
	}{Event: "rejected"}
	var problems mistake.List
	if !errors.As(err, &problems) {
		out.Error = err.Error()
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, problemJSON{p.File, p.Line, p.Where, p.Message})
	}
	r.print(out)
}

type problemJSON struct {
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Resource string `json:"resource,omitempty"`
	Message  string `json:"message"`
}

// Output prints a line of a function.
func (r *jsonReporter) Output(l dev.LogLine) {
	event := "log"
	if l.Notice {
		event = "notice"
	}
	r.print(struct {
		Event     string `json:"event"`
		Function  string `json:"function,omitempty"`
		RequestID string `json:"requestId,omitempty"`
		Text      string `json:"text"`
	}{event, l.Function, l.RequestID, l.Text})
}

// recordLines are buffers for the lines of records.
var recordLines = sync.Pool{New: func() any {
	line := make([]byte, 0, 512)
	return &line
}}

// maxPooledLine is the capacity, in bytes, beyond which a line is not pooled.
const maxPooledLine = 4 << 10

// Record prints an event of the gateway.
func (r *jsonReporter) Record(e *dev.Record) {
	line := recordLines.Get().(*[]byte)
	*line = append(telemetry.AppendJSON((*line)[:0], e), '\n')
	r.printLine(*line)
	if cap(*line) <= maxPooledLine {
		recordLines.Put(line)
	}
}

// printLine prints an event that is a whole line already.
func (r *jsonReporter) printLine(line []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.held = append(r.held, json.RawMessage(bytes.Clone(line)))
		return
	}
	_, _ = r.out.Write(line)
}
