// Package expression evaluates API Gateway's selection expressions, such as
// "$request.body.action" or "${request.body.service}/${request.body.action}",
// on the JSON text of a message. The plan parses them, the gateway evaluates.
//
// Variables are request.body and a path of properties and array indexes below
// it. Source: API Gateway developer guide, "WebSocket selection expressions".
package expression

import (
	"strings"

	"github.com/tidwall/gjson"
)

// Expression is a parsed selection expression. It is immutable.
type Expression struct {
	parts []part
}

// part is literal text or, when path is set, a variable.
type part struct {
	literal string
	path    string // gjson's syntax; relative to the message
	whole   bool   // the variable is the message itself
}

// Evaluate gives the expression's value on a message. A path that is missing,
// or a message that is not JSON, contributes the empty string. Scalars are
// printed as JSON writes them, arrays as [a, b] and objects as {a=b}.
func (e *Expression) Evaluate(message []byte) string {
	valid, checked := false, false
	lookup := func(p part) string {
		if !checked {
			valid, checked = gjson.ValidBytes(message), true
		}
		if !valid {
			return ""
		}
		if p.whole {
			return text(gjson.ParseBytes(message))
		}
		return text(gjson.GetBytes(message, p.path))
	}
	if len(e.parts) == 1 {
		return e.parts[0].value(lookup)
	}
	var b strings.Builder
	for _, p := range e.parts {
		b.WriteString(p.value(lookup))
	}
	return b.String()
}

func (p part) value(lookup func(part) string) string {
	if p.path == "" && !p.whole {
		return p.literal
	}
	return lookup(p)
}

// text is Java's string form of a JSON value.
func text(v gjson.Result) string {
	switch {
	case v.Type == gjson.Null:
		return ""
	case v.Type == gjson.Number:
		return v.Raw // exact, where a float64 would not be
	case !v.IsArray() && !v.IsObject():
		return v.String()
	}
	var b strings.Builder
	printValue(&b, v)
	return b.String()
}

func printValue(b *strings.Builder, v gjson.Result) {
	switch {
	case v.IsArray():
		b.WriteByte('[')
		first := true
		v.ForEach(func(_, item gjson.Result) bool {
			separate(b, &first)
			printValue(b, item)
			return true
		})
		b.WriteByte(']')
	case v.IsObject():
		b.WriteByte('{')
		first := true
		v.ForEach(func(key, item gjson.Result) bool {
			separate(b, &first)
			b.WriteString(key.String())
			b.WriteByte('=')
			printValue(b, item)
			return true
		})
		b.WriteByte('}')
	case v.Type == gjson.Null:
		b.WriteString("null")
	default:
		b.WriteString(text(v))
	}
}

func separate(b *strings.Builder, first *bool) {
	if !*first {
		b.WriteString(", ")
	}
	*first = false
}
