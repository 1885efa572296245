package mapping_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// fakeEvent is a Context written as JSON.
type fakeEvent struct {
	Text      string            `json:"message"`
	Binary    []byte            `json:"binary"`
	Variables map[string]any    `json:"context"`
	Returned  map[string]string `json:"authorizer"`
	Header    [][2]string
	Query     [][2]string
	Path      [][2]string
	Stage     map[string]string `json:"stageVariables"`
	Response  response
	raw       []byte
	logged    []string
}

type response struct {
	Status int
	Header http.Header
	Body   string
}

func (r response) mapping() *mapping.Response {
	return &mapping.Response{Status: r.Status, Header: r.Header, Body: []byte(r.Body)}
}

func readEvent(t testing.TB, text string) *fakeEvent {
	t.Helper()
	e := new(fakeEvent)
	if text == "" {
		return e
	}
	if err := json.Unmarshal([]byte(text), e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for name, value := range e.Variables {
		if n, ok := value.(float64); ok {
			e.Variables[name] = int64(n)
		}
	}
	return e
}

func (e *fakeEvent) Variable(name string) any { return e.Variables[name] }

func (e *fakeEvent) Authorizer() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(e.Returned)) {
			if !yield(name, e.Returned[name]) {
				return
			}
		}
	}
}

func (e *fakeEvent) Parameters(location event.Location) iter.Seq2[string, string] {
	lines := [...][][2]string{event.Path: e.Path, event.QueryString: e.Query, event.Header: e.Header}[location]
	return func(yield func(string, string) bool) {
		for _, line := range lines {
			if !yield(line[0], line[1]) {
				return
			}
		}
	}
}

func (e *fakeEvent) StageVariables() map[string]string { return e.Stage }

func (e *fakeEvent) Log(template string, line, column int, message string) {
	e.logged = append(e.logged, fmt.Sprintf("%s %d:%d %s", template, line, column, message))
}

func (e *fakeEvent) Message() ([]byte, bool) {
	if e.Binary != nil {
		return e.Binary, true
	}
	if e.raw == nil {
		e.raw = []byte(e.Text)
	}
	return e.raw, false
}
