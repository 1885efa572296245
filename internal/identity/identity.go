// Package identity decides who may call the gateway's own APIs. It has the
// users, their access keys and tokens, and their IAM policies. For the control
// plane, @connections and routes with AWS_IAM it finds out who has signed a
// request (Authenticate), and whether that user may do what the request asks
// for (Authorize).
//
// Credentials come from the configuration and from the store. They can be
// replaced at any time: a request sees either all of the old credentials or all
// of the new ones.
package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
	"github.com/stagedoor/stagedoor/internal/sigv4"
)

// The services that requests are signed for.
const (
	ServiceExecuteAPI = "execute-api" // @connections, and routes with AWS_IAM
	ServiceControl    = "apigateway"  // the control plane
)

// Identity is the user who has signed a request, with the policies that were
// valid at that moment.
type Identity struct {
	User        string // the user's name
	UserID      string // unique and stable: "AIDA" and 17 letters and digits
	ARN         string // arn:aws:iam::{account}:user/{name}, in the region's partition
	AccountID   string
	AccessKeyID string

	policies []*iampolicy.Document
}

// Authenticate returns the identity that has signed a request for a service.
// body is the whole body of the request. The error has AWS's text: about
// the signature, or an InternalServerErrorException.
func (d *Directory) Authenticate(r *http.Request, body []byte, service string) (*Identity, *apigw.Error) {
	// The identity is made from the same credentials that the signature is
	// verified with, even if they change meanwhile.
	snapshot, verifier := d.snapshot()
	signature, err := verifier.Verify(r.Context(), r, body, service)
	var refusal *sigv4.Error
	switch {
	case err == nil:
		return snapshot.byID[signature.AccessKeyID].identity, nil
	case errors.Is(err, errSessionToken):
		return nil, errSessionToken
	case errors.As(err, &refusal):
		return nil, &apigw.Error{Status: refusal.Status, Type: refusal.Type, Message: refusal.Message}
	}
	return nil, &apigw.Error{Status: http.StatusInternalServerError, Type: "InternalServerErrorException", Message: "Internal server error"}
}

// Plausible reports, before the body of a request is read, whether Check can
// succeed: the request has a valid token, or claims a current signature by an
// existing access key. Check refuses all other requests, whatever their body.
func (d *Directory) Plausible(r *http.Request, service string) bool {
	if token, given := bearer(r); given {
		_, err := d.authenticateToken(token)
		return err == nil
	}
	_, verifier := d.snapshot()
	return verifier.Plausible(r.Context(), r, service)
}

// snapshot returns the current credentials, and a verifier that uses these.
func (d *Directory) snapshot() (keys, *sigv4.Verifier) {
	known := keys{*d.current.Load(), d.now}
	return known, &sigv4.Verifier{Keys: known, Region: d.region, Now: d.now, Signing: &d.signing}
}

// ClaimedKey returns the access key that a request claims to be signed with, or
// the id of the token that it has, for records of refusals; "" where there is
// neither.
func ClaimedKey(r *http.Request) string {
	if token, given := bearer(r); given {
		return claimedToken(token)
	}
	if key := sigv4.ClaimedKey(r); accessKeyID.MatchString(key) {
		return key
	}
	return ""
}

// errSessionToken is the answer to requests that are signed with temporary
// credentials, which only AWS's token service issues.
var errSessionToken = &apigw.Error{
	Status: http.StatusForbidden, Type: "UnrecognizedClientException",
	Message: "The security token included in the request is invalid. This gateway knows no session tokens: " +
		"sign with one of its own access keys, and without X-Amz-Security-Token.",
}

// keys are the credentials of one moment, for the verifier.
type keys struct {
	byID map[string]*key
	now  func() time.Time
}

// Secret implements sigv4.Keys.
func (k keys) Secret(_ context.Context, accessKeyID, sessionToken string) (string, error) {
	if sessionToken != "" {
		return "", errSessionToken
	}
	found := k.byID[accessKeyID]
	switch {
	case found == nil || found.disabled || found.token != nil: // a token has no secret to sign with
		return "", sigv4.ErrUnknownKey
	case found.ended(k.now()):
		return found.secret(), sigv4.ErrExpiredKey
	}
	return found.secret(), nil
}

// userID returns a user's unique id. It is derived from account and name, so
// that it is the same on every node and after every start.
func userID(account, user string) string {
	sum := sha256.Sum256([]byte(account + "/" + user))
	return "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
