package failure

import (
	"errors"
	"fmt"
	"strings"
)

// Error is why an event failed. A function that fails in no other way returns an
// *Error instead of an error, and nil when it succeeds. Compare it with nil before
// you assign it to an error, which is not nil afterwards (the linter finds that).
// An Error is not changed once it is returned: the same one may be returned for
// many events.
type Error struct {
	Kind Kind
	// Reason is for the operator. The client sees Message.
	Reason string
	// Text takes the place of the table's message, where a kind has several. It
	// may quote what the client sent.
	Text string
	// Cause is the error that Reason tells of; nil where there is none that a
	// caller could look for.
	Cause error
}

// New makes a failure whose reason is formatted as by fmt.Errorf: what %w
// stands for becomes the cause.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Reason: err.Error(), Cause: errors.Unwrap(err)}
}

// Error is the line of the execution log.
func (e *Error) Error() string { return table[e.Kind].log + e.Reason }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// IsRefusal reports whether the event was refused for who asks, or for how much,
// and not because something does not work.
func (e *Error) IsRefusal() bool { return e.Kind >= Request }

// Status is that of the answer to a handshake that failed this way, and of the
// logs.
func (e *Error) Status() int { return table[e.Kind].status }

// Message is what API Gateway tells the client.
func (e *Error) Message() string {
	if e.Text != "" {
		return e.Text
	}
	return strings.Replace(table[e.Kind].message, "%s", e.Reason, 1)
}

// ResponseType is the kind of failure as $context.error.responseType has it,
// such as "ACCESS_DENIED".
func (e *Error) ResponseType() string { return table[e.Kind].responseType }
