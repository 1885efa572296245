package mapping

import (
	"fmt"
	"net/http"
	"strings"
)

// Failure says what kind of thing went wrong. It decides what the client sees.
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

// Error is why a mapping failed. Its text is for the log; the client sees
// Message.
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

// Status is the answer to a handshake that failed this way.
func (e *Error) Status() int {
	switch e.Failure {
	case FailureMediaType:
		return http.StatusUnsupportedMediaType
	case FailureTimeout:
		return http.StatusGatewayTimeout
	case FailureParameters:
		return http.StatusBadRequest
	default:
		return http.StatusInternalServerError
	}
}

// Message is what API Gateway tells the client.
func (e *Error) Message() string {
	switch e.Failure {
	case FailureMediaType:
		return "Unsupported Media Type"
	case FailureTimeout:
		return "Endpoint request timed out"
	case FailureParameters:
		return "Missing required request parameters: [" + strings.Join(e.Missing, ", ") + "]"
	default:
		return "Internal server error"
	}
}

func configurationError(format string, args ...any) *Error {
	return &Error{Failure: FailureConfiguration, Reason: fmt.Sprintf(format, args...)}
}
