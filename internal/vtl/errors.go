package vtl

import (
	"errors"
	"fmt"
)

// Error is a mistake in a template, or why its execution ended.
type Error struct {
	// Line and Column are the place, counted from 1; columns are bytes. For
	// errors within a string it is the place of the string.
	Line, Column int
	Err          error
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %v", e.Line, e.Column, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ErrLimit is wrapped by the error of an execution that reached a limit.
var ErrLimit = errors.New("the template goes past a limit")

// limitError makes the error for a limit that was reached.
func limitError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrLimit, fmt.Sprintf(format, args...))
}

// located adds a place to an error, unless it has one or is a signal.
func located(err error, at place) error {
	if err == nil || asSignal(err) != nil {
		return err
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Line: at.line, Column: at.column, Err: err}
}

// signal is how #break and #stop leave the blocks that they end: it is returned
// as an error.
type signal struct {
	all  bool  // #stop
	loop *loop // #break($foreach); nil ends the nearest scope
}

var (
	breakNearest = &signal{}
	stopAll      = &signal{all: true}
)

func (*signal) Error() string { return "a #break or #stop that nothing ends" }

// ends reports whether a signal leaves nothing more than the loop l or, for
// nil, the template or the #evaluate.
func (s *signal) ends(l *loop) bool {
	if s.all {
		return l == nil
	}
	return s.loop == nil || s.loop == l
}

// endsBlock reports whether a signal leaves nothing more than a macro or a
// #define.
func (s *signal) endsBlock() bool { return !s.all && s.loop == nil }

// asSignal returns err if it is a signal, else nil. Signals are never wrapped.
func asSignal(err error) *signal {
	s, _ := err.(*signal) //nolint:errorlint // never wrapped, and asked at every level
	return s
}
