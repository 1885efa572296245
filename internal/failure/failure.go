// Package failure is the one table of what goes wrong with an event, and of what
// is said about it: to the client, in a handshake's answer or in an error frame,
// and to the logs. Whoever finds that an event fails returns an *Error of a
// Kind: limits and API keys, authorizers, mappings, backends and the pipeline
// itself. The gateway writes what the table says.
//
// The texts and types are API Gateway's: sections A.5, C.4, K.1 and K.2.
package failure

import "net/http"

// Kind is a row of the table.
type Kind int

const (
	// Internal: the gateway itself failed, or content cannot be used.
	Internal Kind = iota
	// Backend: the backend failed, could not be reached, or answered what API
	// Gateway does not accept.
	Backend
	// Timeout: no answer within the integration's timeout.
	Timeout
	// Configuration: the integration itself is wrong: a function that does not
	// exist, a mock without a status code, a template that fails.
	Configuration
	// Route: no route for the message, and no $default.
	Route
	// Body: the message does not fit its model. The reason is how it differs.
	Body
	// MediaType: no request template fits, and passing through is forbidden.
	MediaType
	// Unavailable: the gateway is short of what the call would take: of places
	// in the line before the backend, or of sockets.
	Unavailable
	// Parameters: required parameters of $connect are missing. The reason is
	// their names, with a comma and a space between them.
	Parameters

	// The rest are refusals: of who asks, or of how much.

	// Request: a handshake that no signature could make right.
	Request
	// Unauthorized: the authorizer does not know the client.
	Unauthorized
	// Denied: the client is known, or does not matter, and may not connect.
	Denied
	// Authorizer: the authorizer could not decide.
	Authorizer
	// AuthorizerConfiguration: the authorizer is wrong, or answers what is no
	// decision.
	AuthorizerConfiguration
	// NoSignature: the handshake must be signed, and is not.
	NoSignature
	// Signature: the handshake's signature is wrong.
	Signature
	// Expired: the access key has expired.
	Expired
	// APIKey: there is no API key that opens the stage.
	APIKey
	// Throttled: a limit of events per second or of open connections is reached.
	Throttled
	// Quota: the API key's quota is used up.
	Quota
)

// row is what becomes of a failure.
type row struct {
	status       int    // of the handshake's answer, and of the logs
	message      string // in the handshake's answer and in the frame; %s stands for the reason
	responseType string // $context.error.responseType
	log          string // what the execution log says before the reason
}

const internalServerError = "Internal server error"

// table is all that clients and logs are told of failures.
var table = [...]row{
	Internal:      {http.StatusInternalServerError, internalServerError, "DEFAULT_5XX", ""},
	Backend:       {http.StatusBadGateway, internalServerError, "INTEGRATION_FAILURE", ""},
	Timeout:       {http.StatusGatewayTimeout, "Endpoint request timed out", "INTEGRATION_TIMEOUT", "Execution failed due to a timeout error: "},
	Configuration: {http.StatusInternalServerError, internalServerError, "API_CONFIGURATION_ERROR", "Execution failed due to configuration error: "},
	Route:         {http.StatusForbidden, "Forbidden", "DEFAULT_4XX", ""},
	Body:          {http.StatusBadRequest, "Invalid request body", "BAD_REQUEST_BODY", ""},
	MediaType:     {http.StatusUnsupportedMediaType, "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE", ""},
	Unavailable:   {http.StatusServiceUnavailable, "Service Unavailable", "DEFAULT_5XX", ""},
	Parameters:    {http.StatusBadRequest, "Missing required request parameters: [%s]", "BAD_REQUEST_PARAMETERS", "Missing required request parameters: "},

	Request:                 {http.StatusBadRequest, "Bad Request", "DEFAULT_4XX", ""},
	Unauthorized:            {http.StatusUnauthorized, "Unauthorized", "UNAUTHORIZED", ""},
	Denied:                  {http.StatusForbidden, "Forbidden", "ACCESS_DENIED", ""},
	Authorizer:              {http.StatusInternalServerError, internalServerError, "AUTHORIZER_FAILURE", ""},
	AuthorizerConfiguration: {http.StatusInternalServerError, internalServerError, "AUTHORIZER_CONFIGURATION_ERROR", ""},
	NoSignature:             {http.StatusForbidden, "Missing Authentication Token", "MISSING_AUTHENTICATION_TOKEN", ""},
	Signature:               {http.StatusForbidden, "Forbidden", "INVALID_SIGNATURE", ""},
	Expired:                 {http.StatusForbidden, "The security token included in the request is expired", "EXPIRED_TOKEN", ""},
	APIKey:                  {http.StatusForbidden, "Forbidden", "INVALID_API_KEY", ""},
	Throttled:               {http.StatusTooManyRequests, "Too Many Requests", "THROTTLED", ""},
	Quota:                   {http.StatusTooManyRequests, "Limit Exceeded", "QUOTA_EXCEEDED", ""},
}
