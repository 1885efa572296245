package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// Failure is a kind of thing that goes wrong with an event: a row of the
// catalogue, which says what the client sees.
type Failure int

const (
	// FailureInternal: the gateway itself, or content that cannot be used.
	FailureInternal Failure = iota
	// FailureBackend: the backend failed, could not be reached, or answered
	// what API Gateway does not accept.
	FailureBackend
	// FailureTimeout: no answer within the integration's timeout.
	FailureTimeout
	// FailureConfiguration: the integration itself is wrong: a function that
	// does not exist, a mock without a status code, a template that fails.
	FailureConfiguration
	// FailureRoute: no route for the message, and no $default.
	FailureRoute
	// FailureBody: the message does not fit its model.
	FailureBody
	// FailureMediaType: no request template fits, and passing through is
	// forbidden.
	FailureMediaType
	// FailureUnavailable: the gateway is short of what the call would take: of
	// places in the line before the backend, or of sockets.
	FailureUnavailable
	// FailureParameters: required parameters of $connect are missing. The
	// reason is their names.
	FailureParameters

	// The rest are refusals: of who asks, or of how much.

	// FailureRequest: a handshake that no signature could make right.
	FailureRequest
	// FailureUnauthorized: the authorizer does not know the client.
	FailureUnauthorized
	// FailureDenied: the client is known, or does not matter, and may not
	// connect.
	FailureDenied
	// FailureAuthorizer: the authorizer could not decide.
	FailureAuthorizer
	// FailureAuthorizerConfiguration: the authorizer is wrong, or answers what
	// is no decision.
	FailureAuthorizerConfiguration
	// FailureNoSignature: the handshake must be signed, and is not.
	FailureNoSignature
	// FailureSignature: the handshake's signature is wrong.
	FailureSignature
	// FailureExpired: the access key has expired.
	FailureExpired
	// FailureAPIKey: there is no API key that opens the stage.
	FailureAPIKey
	// FailureThrottled: a limit of events per second or of open connections is
	// reached.
	FailureThrottled
	// FailureQuota: the API key's quota is used up.
	FailureQuota
)

// row is what becomes of a failure.
type row struct {
	status       int    // of the handshake's answer, and of the logs
	message      string // in the handshake's answer and in the frame; %s stands for the reason
	responseType string // $context.error.responseType
	log          string // what the execution log says before the reason
}

const internalServerError = "Internal server error"

// catalogue is all that clients and logs are told of failures.
var catalogue = [...]row{
	FailureInternal:      {http.StatusInternalServerError, internalServerError, "DEFAULT_5XX", ""},
	FailureBackend:       {http.StatusBadGateway, internalServerError, "INTEGRATION_FAILURE", ""},
	FailureTimeout:       {http.StatusGatewayTimeout, "Endpoint request timed out", "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: "},
	FailureConfiguration: {http.StatusInternalServerError, internalServerError, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: "},
	FailureRoute:         {http.StatusForbidden, "Forbidden", "DEFAULT_4XX", ""},
	FailureBody:          {http.StatusBadRequest, "Invalid request body", "BAD_REQUEST_BODY", ""},
	FailureMediaType:     {http.StatusUnsupportedMediaType, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", ""},
	FailureUnavailable:   {http.StatusServiceUnavailable, "Service Unavailable", "DEFAULT_5XX", ""},
	FailureParameters:    {http.StatusBadRequest, "Missing required request parameters: [%s]", "BAD_REQUEST_PARAMETERS", "Missing required request parameters: "},

	FailureRequest:                 {http.StatusBadRequest, "Bad Request", "DEFAULT_4XX", ""},
	FailureUnauthorized:            {http.StatusUnauthorized, "Unauthorized", "UNAUTHORIZED", ""},
	FailureDenied:                  {http.StatusForbidden, "Forbidden", "ACCESS_DENIED", ""},
	FailureAuthorizer:              {http.StatusInternalServerError, internalServerError, "AUTHORIZER_FAILURE", ""},
	FailureAuthorizerConfiguration: {http.StatusInternalServerError, internalServerError, "AUTHORIZER_CONFIGURATION_ERROR", ""},
	FailureNoSignature:             {http.StatusForbidden, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN", ""},
	FailureSignature:               {http.StatusForbidden, "Forbidden", "INVALID_SIGNATURE", ""},
	FailureExpired:                 {http.StatusForbidden, "The security token included in the request is expired", "EXPIRED_TOKEN", ""},
	FailureAPIKey:                  {http.StatusForbidden, "Forbidden", "INVALID_API_KEY", ""},
	FailureThrottled:               {http.StatusTooManyRequests, "Too Many Requests", "THROTTLED", ""},
	FailureQuota:                   {http.StatusTooManyRequests, "Limit Exceeded", "QUOTA_EXCEEDED", ""},
}

// Error is why an event failed. It is the only error that a Backend returns.
type Error struct {
	Failure Failure
	Reason  string // for the log; the client sees Message
	// Text takes the place of the catalogue's message, where a failure has
	// several. It may quote what the client sent.
	Text string
}

// Refusal is the refusal with a response type, such as "ACCESS_DENIED": of the
// authorizers and limits, which have no catalogue of their own. The text is what
// the client is told.
func Refusal(responseType, text, reason string) *Error {
	for failure := FailureRequest; int(failure) < len(catalogue); failure++ {
		if catalogue[failure].responseType == responseType {
			return &Error{Failure: failure, Reason: reason, Text: text}
		}
	}
	return &Error{Failure: FailureInternal, Reason: reason}
}

// IsRefusal tells whether the event was refused for who asks, or for how much,
// and not because something does not work.
func (e *Error) IsRefusal() bool { return e.Failure >= FailureRequest }

// Error is the line of the execution log.
func (e *Error) Error() string { return catalogue[e.Failure].log + e.Reason }

// Status is the answer to a handshake that failed this way.
func (e *Error) Status() int { return catalogue[e.Failure].status }

// Message is what API Gateway tells the client.
func (e *Error) Message() string {
	if e.Text != "" {
		return e.Text
	}
	return strings.Replace(catalogue[e.Failure].message, "%s", e.Reason, 1)
}

// ResponseType is the kind of failure as $context.error.responseType has it.
func (e *Error) ResponseType() string { return catalogue[e.Failure].responseType }

// AsError finds the row of the catalogue for whatever error the way of an
// event ended with.
func AsError(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	if failed, ok := errors.AsType[*mapping.Error](err); ok {
		return mappingError(failed)
	}
	if _, ok := errors.AsType[*awsservice.ConfigurationError](err); ok {
		return &Error{Failure: FailureConfiguration, Reason: err.Error()}
	}
	switch {
	case errors.Is(err, turnstile.ErrFull), errors.Is(err, descriptors.ErrScarce):
		return &Error{Failure: FailureUnavailable, Reason: err.Error()}
	case errors.Is(err, lambda.ErrNotFound):
		return &Error{Failure: FailureConfiguration, Reason: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Failure: FailureTimeout, Reason: "the integration did not answer in time"}
	case errors.Is(err, context.Canceled):
		return &Error{Failure: FailureBackend, Reason: "the call was interrupted: the gateway is stopping"}
	}
	return &Error{Failure: FailureBackend, Reason: err.Error()}
}

func mappingError(e *mapping.Error) *Error {
	switch e.Failure {
	case mapping.FailureParameters:
		return &Error{Failure: FailureParameters, Reason: strings.Join(e.Missing, ", ")}
	case mapping.FailureMediaType:
		return &Error{Failure: FailureMediaType, Reason: e.Error()}
	case mapping.FailureTimeout:
		return &Error{Failure: FailureTimeout, Reason: e.Error()}
	case mapping.FailureContent:
		return &Error{Failure: FailureInternal, Reason: e.Error()}
	default:
		return &Error{Failure: FailureConfiguration, Reason: e.Error()}
	}
}

// failed is the error for a step that ended with err. A context that has ended
// is the reason, whatever the step says.
func failed(ctx context.Context, err error) *Error {
	if _, template := errors.AsType[*mapping.Error](err); !template && ctx.Err() != nil {
		return AsError(ctx.Err())
	}
	return AsError(err)
}

func configurationError(format string, args ...any) *Error {
	return &Error{Failure: FailureConfiguration, Reason: fmt.Sprintf(format, args...)}
}
