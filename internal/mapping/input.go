package mapping

import (
	"strings"
	"sync"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// emptyBody is what stands for a body of no bytes.
const emptyBody = "{}"

// input is $input: the client's message or, in the response phase, the
// integration's body.
type input struct {
	x    *Exchange
	body []byte
	text string // the body as a string, once it was asked for

	document any // the body parsed, once it was asked for
	state    documentState
	shown    bool // a template got the document, and may have changed it
}

type documentState int

const (
	unparsed documentState = iota
	parsed
	noJSON
)

func (in *input) Property(name string) (any, bool) {
	if name != "body" {
		return nil, false
	}
	if in.text == "" {
		in.text = emptyBody
		if len(in.body) > 0 {
			in.text = string(in.body)
		}
	}
	return in.text, true
}

func (in *input) Call(method string, args []any) (any, error) {
	switch {
	case method == "params" && len(args) == 0:
		return in.x.allParameters(), nil
	case len(args) != 1:
		return nil, nil
	}
	name, err := textOf(args[0])
	if err != nil {
		return nil, err
	}
	switch method {
	case "path":
		return in.path(name)
	case "json":
		return in.json(name)
	case "params":
		return in.x.parameter(name), nil
	}
	return nil, nil
}

// parse parses the body, once, and tells whether it is JSON.
func (in *input) parse() bool {
	if in.state == unparsed {
		body := in.body
		if len(body) == 0 {
			body = []byte(emptyBody)
		}
		document, err := jsonvalue.Parse(body)
		in.document, in.state = document, parsed
		if err != nil {
			in.state = noJSON
		}
	}
	return in.state == parsed
}

// find gives the value of a path in the body.
func (in *input) find(source string) (value any, found bool, err error) {
	if !in.parse() {
		return nil, false, nil
	}
	path, err := in.x.paths.compile(source)
	if err != nil {
		return nil, false, err
	}
	if keys, plain := path.Keys(); plain {
		value, found = follow(in.document, keys)
		return value, found, nil
	}
	return in.x.budget.evaluate(path, in.document)
}

// follow goes a plain path.
func follow(value any, keys []jsonpath.Key) (any, bool) {
	for _, key := range keys {
		found := false
		switch v := value.(type) {
		case *jsonvalue.Object:
			value, found = v.Get(key.Name)
			found = found && !key.IsIndex
		case *jsonvalue.List:
			value, found = v.At(key.Index)
			found = found && key.IsIndex
		}
		if !found {
			return nil, false
		}
	}
	return value, true
}

func (in *input) path(source string) (any, error) {
	value, _, err := in.find(source)
	in.shown = in.shown || isCollection(value)
	return value, err
}

// isCollection tells whether a value can be changed.
func isCollection(value any) bool {
	switch value.(type) {
	case *jsonvalue.Object, *jsonvalue.List, *vtl.ArrayList:
		return true
	}
	return false
}

// textOf is the text of an argument.
func textOf(argument any) (string, error) {
	if text, ok := argument.(string); ok {
		return text, nil
	}
	return vtl.Text(argument, maxText)
}

// json gives the JSON text of what a path finds, and an empty JSON string when
// it finds nothing.
func (in *input) json(source string) (any, error) {
	value, found, err := in.find(source)
	if err != nil {
		return nil, err
	}
	if !found {
		return `""`, nil
	}
	text, err := in.jsonText(value)
	if err != nil {
		return nil, err
	}
	return in.x.budget.made(text)
}

// printRooms are where values are printed before they become strings.
var printRooms = sync.Pool{New: func() any { return new([]byte) }}

func (in *input) jsonText(value any) (string, error) {
	if !in.shown || !isCollection(value) {
		room, _ := printRooms.Get().(*[]byte)
		defer printRooms.Put(room)
		text, err := jsonvalue.AppendWithin((*room)[:0], value, maxText)
		if cap(text) <= maxRoom {
			*room = text
		}
		return string(text), err
	}
	// A template may have put values of its own into the document. They print
	// as JSON when they are in a list of JSON's.
	text, err := vtl.Text(jsonvalue.NewList(value), maxText)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(text[1:], "]"), nil
}

// parameter finds a parameter of the handshake: in the path, the query, the
// headers. The last of several values counts.
func (x *Exchange) parameter(name string) string {
	for _, location := range []event.Location{event.Path, event.QueryString, event.Header} {
		if value, ok := last(x.event, location, name); ok {
			return value
		}
	}
	return ""
}

// last gives the last value of a parameter. Headers are found in any case where
// none has the very name.
func last(e Context, location event.Location, name string) (value string, found bool) {
	exact := false
	for n, v := range e.Parameters(location) {
		switch {
		case n == name:
			value, found, exact = v, true, true
		case location == event.Header && !exact && strings.EqualFold(n, name):
			value, found = v, true
		}
	}
	return value, found
}

// all gives the values of a parameter in order.
func all(e Context, location event.Location, name string) []string {
	var values []string
	for n, v := range e.Parameters(location) {
		if n == name || location == event.Header && strings.EqualFold(n, name) {
			values = append(values, v)
		}
	}
	return values
}

// allParameters is $input.params().
func (x *Exchange) allParameters() *jsonvalue.Object {
	params := jsonvalue.NewObject(3)
	for _, location := range []event.Location{event.Path, event.QueryString, event.Header} {
		values := new(jsonvalue.Object)
		for name, value := range x.event.Parameters(location) {
			values.Set(name, value)
		}
		params.Set(location.String(), values)
	}
	return params
}
