package integration

import "net/http"

// Failure says what kind of thing went wrong in an integration. It decides
// what the client sees.
type Failure int

const (
	// FailureBackend: the backend failed, could not be reached, or answered
	// what API Gateway does not accept. Handshake 502.
	FailureBackend Failure = iota
	// FailureTimeout: no answer within the integration's timeout. Handshake 504.
	FailureTimeout
	// FailureConfiguration: the integration itself is wrong (a function that
	// does not exist, a mock without a status code). Handshake 500.
	FailureConfiguration
)

// Error is the only error that a Backend returns. The text is for the log;
// the client sees Message.
type Error struct {
	Failure Failure
	Reason  string
}

func (e *Error) Error() string { return e.Reason }

// Status is the answer to a handshake that failed this way.
func (e *Error) Status() int {
	switch e.Failure {
	case FailureTimeout:
		return http.StatusGatewayTimeout
	case FailureConfiguration:
		return http.StatusInternalServerError
	default:
		return http.StatusBadGateway
	}
}

// Message is what API Gateway tells the client.
func (e *Error) Message() string {
	if e.Failure == FailureTimeout {
		return "Endpoint request timed out"
	}
	return "Internal server error"
}
