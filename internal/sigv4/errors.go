package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// Error is a refusal as API Gateway words it.
type Error struct {
	// Status is the HTTP status: 403, or 400 for a request that no signature
	// could make right.
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

// What a refusal repeats of the request is bounded, in bytes: whoever is not
// known gets no large answers.
const (
	maxQuote = 256
	maxEcho  = 16 << 10
)

// quote repeats a part of the request.
func quote(text string) string {
	if len(text) > maxQuote {
		text = text[:maxQuote] + "…"
	}
	return "'" + text + "'"
}

// errMismatch tells what should have been signed.
func errMismatch(canonical, toSign string) *Error {
	message := "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	if len(canonical) <= maxEcho {
		message += "\n\nThe Canonical String for this request should have been\n'" + canonical +
			"'\n\nThe String-to-Sign should have been\n'" + toSign + "'\n"
	}
	return invalid(message)
}

// digest stands for a header in messages: the header may be a token of another
// kind, sent to the wrong place.
func digest(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}
