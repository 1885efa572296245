// Package vtl runs the Velocity Template Language: the language of Apache
// Velocity 1.7 in the dialect of API Gateway's mapping templates. It knows
// nothing of API Gateway; what a template may refer to comes from a Scope.
// Package mapping calls it.
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

// Scope gives the variables that a template begins with. A variable that a
// template sets hides the scope's for the rest of the execution.
//
// A Scope that is also a Logger is told what Velocity would log.
type Scope interface {
	// Variable gives a variable's value by its name, without the dollar, or
	// false when there is none.
	Variable(name string) (any, bool)
}

// Logger hears of what is not an error but probably a mistake, such as
// arithmetic with something that is no number.
type Logger interface {
	Log(line, column int, message string)
}

// Caller is an object of the host. Methods and properties that it does not
// have give nil, as a missing value does; an error ends the execution.
type Caller interface {
	// Call calls a method. The slice of arguments is valid until it returns.
	Call(method string, args []any) (any, error)
	// Property gives what $object.name and $object["name"] stand for.
	Property(name string) (any, bool)
}

// Setter is a Caller with properties that a template can set. SetProperty
// tells whether the property could be set.
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

// Execute runs the template and appends its output to dst. On an error, which
// is an *Error, it gives dst as it was. When a limit is passed the error wraps
// ErrLimit, and when the context ends its cause.
//
// Templates may change the lists and maps that they are given.
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
