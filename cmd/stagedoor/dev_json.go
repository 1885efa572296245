package main

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor"
)

// jsonReporter prints one JSON object per line, for scripts. The first is
// always "ready".
type jsonReporter struct {
	mu    sync.Mutex
	out   *json.Encoder // guarded by mu
	ready bool          // guarded by mu
	held  []any         // guarded by mu: events from before the gateway was ready
}

func newJSONReporter(out io.Writer) *jsonReporter {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return &jsonReporter{out: encoder}
}

func (r *jsonReporter) print(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.held = append(r.held, event)
		return
	}
	_ = r.out.Encode(event) // nobody is left to be told
}

type readyJSON struct {
	Event  string `json:"event"`
	Public string `json:"public"`
	Admin  string `json:"admin"`
	applicationJSON
}

type applicationJSON struct {
	Template string       `json:"template"`
	APIs     []apiJSON    `json:"apis"`
	Notices  []noticeJSON `json:"notices,omitempty"`
	Problems []string     `json:"problems,omitempty"`
}

type apiJSON struct {
	APIID  string      `json:"apiId"`
	Name   string      `json:"name"`
	Stages []string    `json:"stages"`
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

func newApplicationJSON(a stagedoor.Application) applicationJSON {
	out := applicationJSON{Template: a.Template, APIs: []apiJSON{}, Problems: a.Problems}
	for _, api := range a.APIs {
		next := apiJSON{APIID: api.ID, Name: api.Name, Stages: append([]string{}, api.Stages...), Routes: []routeJSON{}}
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

// Ready prints the first line, then what happened before it.
func (r *jsonReporter) Ready(ready stagedoor.Ready) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
	_ = r.out.Encode(readyJSON{"ready", ready.Public, ready.Admin, newApplicationJSON(ready.Application)})
	for _, event := range r.held {
		_ = r.out.Encode(event)
	}
	r.held = nil
}

// Reloaded prints what a changed template brought.
func (r *jsonReporter) Reloaded(a stagedoor.Application) {
	r.print(struct {
		Event string `json:"event"`
		applicationJSON
	}{"reloaded", newApplicationJSON(a)})
}

// Rejected prints why a changed template was not taken.
func (r *jsonReporter) Rejected(err error) {
	out := struct {
		Event    string        `json:"event"`
		Error    string        `json:"error,omitempty"`
		Problems []problemJSON `json:"problems,omitempty"`
	}{Event: "rejected"}
	var problems stagedoor.Problems
	if !errors.As(err, &problems) {
		out.Error = err.Error()
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, problemJSON{p.File, p.Line, p.LogicalID, p.Message})
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
func (r *jsonReporter) Output(l stagedoor.LogLine) {
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

// Record prints an event of the gateway.
func (r *jsonReporter) Record(e *stagedoor.Record) {
	r.print(struct {
		Event        string  `json:"event"`
		Time         string  `json:"time"`
		APIID        string  `json:"apiId"`
		Stage        string  `json:"stage"`
		ConnectionID string  `json:"connectionId"`
		RequestID    string  `json:"requestId"`
		RouteKey     string  `json:"routeKey,omitempty"`
		Status       int     `json:"status"`
		Reason       string  `json:"reason,omitempty"`
		Bytes        int     `json:"bytes,omitempty"`
		Milliseconds float64 `json:"durationMs"`
		Error        string  `json:"error,omitempty"`
	}{
		e.Event, e.Time.UTC().Format(time.RFC3339Nano), e.APIID, e.Stage, e.ConnectionID, e.RequestID,
		e.RouteKey, e.Status, e.Reason, e.Bytes, float64(e.Duration.Microseconds()) / 1000, e.Error,
	})
}
