// Package vtl runs the Velocity Template Language: the language of Apache
// Velocity 1.7 in the dialect of API Gateway's mapping templates. It does not
// depend on API Gateway: the variables of a template come from a Scope. Package
// mapping calls it.
//
// Values are those of package jsonvalue, and beside them:
//
//   - integers of arithmetic are int64 or, when they do not fit, *big.Int;
//     fractions are float64. What a template puts in a list or a map becomes a
//     jsonvalue.Number;
//   - *ArrayList is a list that a template made;
//   - a Caller is an object of the host.
//
// The dialect differs from Apache Velocity's own: a reference that has no value
// prints nothing; a missing value equals both null and ""; a list that came out
// of JSON prints as JSON, {a=b} is how a map prints; space around a template
// is dropped; and a template can read or include no other.
package vtl

import (
	"context"
	"strings"
	"sync"
	"unicode"
)

// A Template is compiled and may be executed by several goroutines at a time.
type Template struct {
	body     block
	symbols  *symbols
	macros   map[string]*macro
	patterns patterns
	runs     sync.Pool // of *run
}

// Scope has the variables that a template begins with. A variable that a
// template sets hides the scope's for the rest of the execution.
//
// A Scope that is also a Logger gets what Velocity would log.
type Scope interface {
	// Variable returns a variable's value by its name, without the dollar, and
	// false when there is none.
	Variable(name string) (any, bool)
}

// Logger gets messages about what is not an error but probably a mistake, such
// as arithmetic with a value that is not a number.
type Logger interface {
	Log(line, column int, message string)
}

// Caller is an object of the host. Methods and properties that it does not have
// are nil, like a missing value; an error ends the execution.
type Caller interface {
	// Call calls a method. The slice of arguments is valid until it returns.
	Call(method string, args []any) (any, error)
	// Property returns the value of $object.name and $object["name"], and false
	// when there is none.
	Property(name string) (any, bool)
}

// Setter is a Caller with properties that a template can set. SetProperty
// reports whether the property could be set.
type Setter interface {
	SetProperty(name string, value any) bool
}

// Iterable is a Caller over which #foreach can run.
type Iterable interface {
	Items() []any
}

// Compile reads a template. The error is an *Error with the place in the
// source.
func Compile(source string) (*Template, error) {
	t := &Template{symbols: newSymbols(), macros: make(map[string]*macro)}
	p := newParser(strings.TrimRightFunc(source, unicode.IsSpace), placesOf(source), t.symbols, t.macros)
	p.pos = len(source) - len(strings.TrimLeftFunc(source, unicode.IsSpace))
	p.pos = min(p.pos, len(p.source))
	body, err := p.template()
	if err != nil {
		return nil, err
	}
	t.body = body
	t.runs.New = func() any { return new(run) }
	return t, nil
}

// Constant is what the template prints whatever the variables are. It is not ok where
// there is more in the template than text.
func (t *Template) Constant() (out []byte, ok bool) {
	out = []byte{}
	for _, n := range t.body {
		printed, ok := n.(text)
		if !ok {
			return nil, false
		}
		out = append(out, printed...)
	}
	return out, true
}

// Execute runs the template and appends its output to dst. If it fails it
// returns dst as it was, and an *Error, which wraps ErrLimit when a limit was
// reached, and the context's cause when the context has ended.
//
// A template may change the lists and maps that vars has.
func (t *Template) Execute(ctx context.Context, dst []byte, vars Scope, limits Limits) ([]byte, error) {
	r, _ := t.runs.Get().(*run)
	defer t.runs.Put(r)
	defer r.release()
	r.prepare(ctx, t, dst, vars, limits)
	err := r.block(t.body)
	if s := asSignal(err); s != nil && s.ends(nil) {
		err = nil
	}
	if err != nil {
		return dst, located(err, place{line: 1, column: 1})
	}
	return r.out, nil
}
