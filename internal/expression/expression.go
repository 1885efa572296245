// Package expression reads and evaluates API Gateway's selection expressions,
// such as "$request.body.action" or
// "${request.body.service}/${request.body.action}", and the keys that an
// expression's value selects. The plan parses them; the gateway evaluates them
// on each message.
//
// An expression is literal text with variables, written $name or ${name}; \$
// stands for a dollar. The value of a variable is not evaluated again. Which
// variables there are depends on the place where an expression is written.
// Source: API Gateway developer guide, "WebSocket selection expressions".
package expression

import (
	"strconv"

	"github.com/stagedoor/stagedoor/internal/jsonpath"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Expression is a parsed selection expression. It is immutable.
type Expression struct {
	source string
	parts  []part
	doubts []string
}

// part is literal text, or a variable.
type part struct {
	literal  string
	variable variable
	name     string         // of a header or a context variable
	path     *jsonpath.Path // in a body; nil for the whole of it
	keys     []jsonpath.Key // the path as keys, if it has only names and indexes
}

// Input has the values of an expression's variables. A member may be missing if
// the expression's place has no variables for it.
type Input struct {
	// Message is the client's message.
	Message []byte
	// RequestHeader returns a header of the handshake, "" when it is missing.
	RequestHeader func(name string) string
	// BasePath is the first segment of the handshake's path.
	BasePath string
	// Context returns a context variable, such as
	// authorizer.usageIdentifierKey.
	Context func(name string) string
	// Status, Body and Header are the integration's response. Header returns
	// all values of a header.
	Status int
	Body   []byte
	Header func(name string) []string
}

// String returns the expression as it is written.
func (e *Expression) String() string { return e.source }

// Evaluate returns the value that an expression has on a message.
func (e *Expression) Evaluate(message []byte) string {
	if len(e.parts) == 1 && e.parts[0].variable == literal {
		return e.parts[0].literal
	}
	return string(e.Append(nil, Input{Message: message}))
}

// Append appends the expression's value. A variable is the empty string when
// its value is missing or null, when the body is not JSON, and when its path
// would look at too many values of the body. Scalars are printed as JSON writes
// them, arrays as [a, b] and objects as {a=b}.
//
// Append keeps neither dst nor the input. It allocates nothing but room in dst
// when all variables are names and indexes in a body and their values are
// scalars without escapes.
func (e *Expression) Append(dst []byte, in Input) []byte {
	for i := range e.parts {
		dst = e.parts[i].append(dst, &in)
	}
	return dst
}

func (p *part) append(dst []byte, in *Input) []byte {
	switch p.variable {
	case literal:
		return append(dst, p.literal...)
	case requestBody:
		return p.appendFrom(dst, in.Message)
	case responseBody:
		return p.appendFrom(dst, in.Body)
	case requestHeader:
		return append(dst, in.RequestHeader(p.name)...)
	case basePath:
		return append(dst, in.BasePath...)
	case context:
		return append(dst, in.Context(p.name)...)
	case responseStatus:
		return strconv.AppendInt(dst, int64(in.Status), 10)
	case responseHeader:
		if values := in.Header(p.name); len(values) > 0 {
			return append(dst, values[0]...)
		}
	case responseHeaders:
		if values := in.Header(p.name); len(values) > 0 {
			return appendValues(dst, values)
		}
	}
	return dst
}

func appendValues(dst []byte, values []string) []byte {
	list := &jsonvalue.List{Items: make([]any, len(values))}
	for i, value := range values {
		list.Items[i] = value
	}
	return appendValue(dst, list)
}

// appendFrom appends the value at the path in a body.
func (p *part) appendFrom(dst, body []byte) []byte {
	if len(p.keys) > 0 {
		return appendRaw(dst, find(body, p.keys))
	}
	document, err := jsonvalue.Parse(body)
	if err != nil {
		return dst
	}
	if p.path == nil {
		return appendValue(dst, document)
	}
	value, _, _ := p.path.Evaluate(document)
	return appendValue(dst, value)
}

// appendRaw appends a value given as JSON text.
func appendRaw(dst, raw []byte) []byte {
	if len(raw) == 0 || raw[0] == 'n' {
		return dst
	}
	switch c := raw[0]; {
	case c == '"' && !hasEscape(raw):
		return append(dst, raw[1:len(raw)-1]...)
	case c != '"' && c != '{' && c != '[':
		return append(dst, raw...)
	}
	value, err := jsonvalue.Parse(raw)
	if err != nil {
		return dst
	}
	return appendValue(dst, value)
}

func appendValue(dst []byte, value any) []byte {
	if value == nil {
		return dst
	}
	// The value is printed into another slice, because one that is passed to
	// the printer moves to the heap.
	return append(dst, jsonvalue.AppendCollection(nil, value)...)
}
