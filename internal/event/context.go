package event

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Location is where a parameter of the handshake stands.
type Location int

// The locations, in the order in which $input.params looks for a name.
const (
	Path Location = iota
	QueryString
	Header
)

// String is the location's name in parameter mappings.
func (l Location) String() string {
	return [...]string{Path: "path", QueryString: "querystring", Header: "header"}[l]
}

// Parameters goes through the handshake's headers or query parameters, as many
// times as a name came, in that order. Names are as the client wrote them, values
// decoded. WebSocket APIs have no parameters in paths, and only $connect has any.
func (e *Event) Parameters(location Location) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		switch location {
		case Header:
			for _, f := range e.Header {
				if !yield(f.Name, f.Value) {
					return
				}
			}
		case QueryString:
			for _, name := range slices.Sorted(maps.Keys(e.Query)) {
				for _, value := range e.Query[name] {
					if !yield(name, value) {
						return
					}
				}
			}
		}
	}
}

// Authorizer goes through what the authorizer of $connect returned: principalId,
// and its context as texts.
func (e *Event) Authorizer() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		c := e.Connection.Client
		if c == nil || c.PrincipalID != "" && !yield("principalId", c.PrincipalID) {
			return
		}
		for _, p := range c.Context {
			if !yield(p.Name, p.Value) {
				return
			}
		}
	}
}

// StageVariables are the variables of the stage. They are not changed.
func (e *Event) StageVariables() map[string]string { return e.stageVariables }

// Message is the client's message, and whether it came as a binary one. It is not
// changed.
func (e *Event) Message() (body []byte, binary bool) { return e.Body, e.Binary }

// maxWarning is the most that a warning repeats of what a template says, in
// bytes.
const maxWarning = 200

// Log adds to the warnings what is probably a mistake in a template. Line and
// column count from 1.
func (e *Event) Log(template string, line, column int, message string) {
	if len(message) > maxWarning {
		message = strings.ToValidUTF8(message[:maxWarning], "") + "…"
	}
	o := &e.Integration
	o.Warnings = append(o.Warnings, fmt.Sprintf("%s: line %d, column %d: %s", template, line, column, message))
}
