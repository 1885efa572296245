package mapping

import (
	"fmt"
)

// Failure says what kind of thing went wrong. What the client sees of it is up
// to the caller.
type Failure int

const (
	// FailureConfiguration: a template failed, a mapping gave what cannot be
	// sent, or no integration response fits.
	FailureConfiguration Failure = iota
	// FailureContent: content that should have been base64 was not.
	FailureContent
	// FailureMediaType: no template fits and the message may not pass through.
	FailureMediaType
	// FailureTimeout: a template did not end within the integration's timeout.
	FailureTimeout
	// FailureParameters: required parameters of $connect are missing.
	FailureParameters
)

// String names the kind.
func (f Failure) String() string {
	return [...]string{
		FailureConfiguration: "configuration", FailureContent: "content", FailureMediaType: "media type",
		FailureTimeout: "timeout", FailureParameters: "parameters",
	}[f]
}

// Error is why a mapping failed. Its text is for the log.
type Error struct {
	Failure Failure
	Reason  string
	Missing []string // of FailureParameters: the names, in API Gateway's order
	Err     error    // may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return fmt.Sprintf("%s: %v", e.Reason, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

func configurationError(format string, args ...any) *Error {
	return &Error{Failure: FailureConfiguration, Reason: fmt.Sprintf(format, args...)}
}
