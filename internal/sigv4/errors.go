package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// Error is a refusal with API Gateway's text.
type Error struct {
	// Status is the HTTP status: 403, or 400 for a request that would be
	// refused with any signature.
	Status int
	// Type is the error type for the header x-amzn-ErrorType, such as
	// "InvalidSignatureException".
	Type string
	// Message is for the caller. It can quote what the caller sent, over
	// several lines, but never a secret or the right signature.
	Message string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

var (
	errMissing    = &Error{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	errUnknownKey = &Error{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
	errExpiredKey = &Error{http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired"}
)

func incomplete(message string) *Error {
	return &Error{http.StatusForbidden, "IncompleteSignatureException", message}
}

func invalid(message string) *Error {
	return &Error{http.StatusForbidden, "InvalidSignatureException", message}
}

func malformed(message string) *Error {
	return &Error{http.StatusBadRequest, "BadRequestException", message}
}

// Limits, in bytes, of the parts of a request that a refusal repeats, so that
// unauthenticated clients get no large answers.
const (
	maxQuote = 256
	maxEcho  = 16 << 10
)

// quote quotes a part of the request, shortened if it is long.
func quote(text string) string {
	if len(text) > maxQuote {
		text = text[:maxQuote] + "…"
	}
	return "'" + text + "'"
}

// errMismatch is the refusal for a wrong signature. It has the text that should
// have been signed.
func errMismatch(canonical, toSign string) *Error {
	message := "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	if len(canonical) <= maxEcho {
		message += "\n\nThe Canonical String for this request should have been\n'" + canonical +
			"'\n\nThe String-to-Sign should have been\n'" + toSign + "'\n"
	}
	return invalid(message)
}

// digest returns a hash of a header for messages. The header itself may be a
// secret, a token that was sent to the wrong place.
func digest(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}
