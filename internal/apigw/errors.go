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

	// ResourceType is what a NotFoundException did not find, and LimitType the
	// limit of a TooManyRequestsException; else empty.
	ResourceType string
	LimitType    string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Errors that the data plane's HTTP side answers with.
var (
	ErrForbidden    = &Error{Status: http.StatusForbidden, Type: "ForbiddenException", Message: "Forbidden"}
	ErrMissingToken = &Error{Status: http.StatusForbidden, Type: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"}
	ErrGone         = &Error{Status: http.StatusGone, Type: "GoneException"}
	ErrLimit        = &Error{Status: http.StatusTooManyRequests, Type: "LimitExceededException", Message: "Too Many Requests"}
)

// BadRequest is a 400 with the given message.
func BadRequest(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "BadRequestException", Message: message}
}

// Conflict is a 409 with the given message.
func Conflict(message string) *Error {
	return &Error{Status: http.StatusConflict, Type: "ConflictException", Message: message}
}

// NotFound is a 404 with the given message, for a type of resource such as
// "Route".
func NotFound(resourceType, message string) *Error {
	return &Error{Status: http.StatusNotFound, Type: "NotFoundException", Message: message, ResourceType: resourceType}
}

// TooMany is the 429 for a quota that is used up; limitType names it.
func TooMany(limitType, message string) *Error {
	return &Error{Status: http.StatusTooManyRequests, Type: "TooManyRequestsException", Message: message, LimitType: limitType}
}

const accessDenied = "AccessDeniedException"

// AccessDenied is the 403 for what the policies of a known caller don't allow.
func AccessDenied(message string) *Error {
	return &Error{Status: http.StatusForbidden, Type: accessDenied, Message: message}
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
	members := struct {
		Message      string `json:"message,omitempty"`
		Denial       string `json:"Message,omitempty"` // AWS writes that of AccessDeniedException so
		ResourceType string `json:"resourceType,omitempty"`
		LimitType    string `json:"limitType,omitempty"`
	}{ResourceType: e.ResourceType, LimitType: e.LimitType}
	if e.Type == accessDenied {
		members.Denial = e.Message
	} else {
		members.Message = e.Message
	}
	body, _ := json.Marshal(members) // strings always marshal
	_, _ = w.Write(body)
}
