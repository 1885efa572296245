package apigw

import (
	"encoding/json"
	"net/http"
)

// Error is an error in the form of the AWS APIs: a status, an error type for
// the header x-amzn-ErrorType, and a message that the caller may read.
type Error struct {
	Status  int
	Type    string
	Message string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Errors that the data plane's HTTP side answers with.
var (
	ErrForbidden    = &Error{http.StatusForbidden, "ForbiddenException", "Forbidden"}
	ErrMissingToken = &Error{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	ErrGone         = &Error{http.StatusGone, "GoneException", ""}
	ErrLimit        = &Error{http.StatusTooManyRequests, "LimitExceededException", "Too Many Requests"}
)

// BadRequest is a 400 with the given message.
func BadRequest(message string) *Error {
	return &Error{http.StatusBadRequest, "BadRequestException", message}
}

// WriteTo answers a request with the error. An error without a message has no
// body.
func (e *Error) WriteTo(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-amzn-ErrorType", e.Type)
	w.WriteHeader(e.Status)
	if e.Message == "" {
		return
	}
	body, _ := json.Marshal(struct { // strings always marshal
		Message string `json:"message"`
	}{e.Message})
	_, _ = w.Write(body)
}
