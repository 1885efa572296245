// Package sigv4 verifies requests that are signed with AWS Signature Version 4,
// in their Authorization header or in their query string ("presigned"), as API
// Gateway does for its services execute-api and apigateway. It finds out which
// access key has signed a request; users and permissions are the matter of
// package identity.
//
// Refusals have AWS's texts; see Error.
package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Limits on the age of signatures.
const (
	// MaxSkew is how far a request's date may be from the verifier's clock.
	MaxSkew = 5 * time.Minute
	// MaxExpires is the longest life of a presigned request.
	MaxExpires = 7 * 24 * time.Hour
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// Errors of Keys.
var (
	// ErrUnknownKey: there is no such access key, or the session token is not
	// the key's.
	ErrUnknownKey = errors.New("the access key is not known")
	// ErrExpiredKey: the access key exists, but has expired.
	ErrExpiredKey = errors.New("the access key has expired")
)

// Keys has the secrets of access keys. It must be safe for concurrent use.
type Keys interface {
	// Secret returns the secret access key that belongs to an access key. The
	// session token is the request's, "" where it has none. The error is
	// ErrUnknownKey or ErrExpiredKey, possibly wrapped. Any other error is a
	// failure of the gateway, which Verify returns as it is.
	Secret(ctx context.Context, accessKeyID, sessionToken string) (string, error)
}

// Verifier verifies requests. It is safe for concurrent use.
type Verifier struct {
	// Keys has the secrets. It must be set.
	Keys Keys
	// Region is the one that signatures must be scoped to.
	Region string
	// Now is the clock; nil stands for time.Now.
	Now func() time.Time
	// Signing keeps what is derived from secrets. Nil keeps nothing.
	Signing *SigningKeys
}

// Signature describes a valid signature.
type Signature struct {
	AccessKeyID   string
	SessionToken  string // "" where the request has none
	Time          time.Time
	Presigned     bool     // it was in the query string
	SignedHeaders []string // lower case, in alphabetical order; "host" is among them
}

// Verify checks that a request, as net/http's server received it, is signed
// for the service by a known access key, and that the signature is current.
// The body is the whole body of the request. The error is an *Error, or a
// failure of Keys.
//
// As usual with Signature Version 4, a presigned request can be sent again
// until it expires, and one that is signed in its header for MaxSkew.
func (v *Verifier) Verify(ctx context.Context, r *http.Request, body []byte, service string) (*Signature, error) {
	c, err := v.claim(r, service)
	if err != nil {
		return nil, err
	}
	if err := v.compare(ctx, c, body); err != nil {
		return nil, err
	}
	return &Signature{
		AccessKeyID:   c.accessKeyID,
		SessionToken:  c.sessionToken,
		Time:          c.time,
		Presigned:     c.presigned,
		SignedHeaders: c.headerNames,
	}, nil
}

// Plausible reports, before the body of a request is read, whether Verify can
// succeed: the request claims a current signature for the service, by a known
// access key. The body of any other request need not be kept in memory.
func (v *Verifier) Plausible(ctx context.Context, r *http.Request, service string) bool {
	c, err := v.claim(r, service)
	if err == nil {
		_, err = v.Keys.Secret(ctx, c.accessKeyID, c.sessionToken)
	}
	return err == nil
}

// claim returns what a request declares about its signature. The error is an
// *Error if that is not complete, current and for this service.
func (v *Verifier) claim(r *http.Request, service string) (*claim, error) {
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	c, err := parseClaim(r)
	if err != nil {
		return nil, err
	}
	if err := c.checkTime(now().UTC()); err != nil {
		return nil, err
	}
	if err := c.checkForm(); err != nil {
		return nil, err
	}
	if err := c.checkScope(v.Region, service); err != nil {
		return nil, err
	}
	return c, nil
}

// compare computes the signature, and returns an error unless it is the claimed
// one.
func (v *Verifier) compare(ctx context.Context, c *claim, body []byte) error {
	secret, unknown := v.Keys.Secret(ctx, c.accessKeyID, c.sessionToken)
	canonical, faithful, err := c.canonicalRequest(body)
	if err != nil {
		return err
	}
	toSign := stringToSign(c.rawTime, c.scope(), canonical)
	expected := v.Signing.of(signingScope{secret, c.scopeDate, c.scopeRegion, c.scopeService}).sign(toSign)
	equal := subtle.ConstantTimeCompare(expected[:], []byte(c.signature)) == 1
	switch {
	case errors.Is(unknown, ErrUnknownKey):
		return errUnknownKey
	case errors.Is(unknown, ErrExpiredKey):
		return errExpiredKey
	case unknown != nil:
		return fmt.Errorf("look up the secret of access key %q: %w", c.accessKeyID, unknown)
	case !equal || !faithful:
		return errMismatch(canonical, toSign)
	}
	return nil
}

// stringToSign is what is signed, at a time in timeFormat.
func stringToSign(at, scope, canonical string) string {
	return algorithm + "\n" + at + "\n" + scope + "\n" + hashHex([]byte(canonical))
}

// hashHex is the SHA-256 of data in lower-case hexadecimal digits.
func hashHex(data []byte) string {
	var text [2 * sha256.Size]byte
	sum := sha256.Sum256(data)
	hex.Encode(text[:], sum[:])
	return string(text[:])
}
