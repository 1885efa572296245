// Package identity knows who may call the gateway's own APIs: users, their
// access keys, and the IAM policies that say what each may do. The control
// plane, @connections and routes with AWS_IAM ask it two questions: who signed
// this request (Authenticate), and may they do this (Authorize).
//
// Credentials come from the configuration and from the store. They are
// replaced while requests go on: a request sees the credentials of before or
// of after, nothing between.
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

// Identity is who signed a request. It keeps the policies of that moment.
type Identity struct {
	User        string // the user's name
	UserID      string // unique and stable: "AIDA" and 17 letters and digits
	ARN         string // arn:aws:iam::{account}:user/{name}, in the region's partition
	AccountID   string
	AccessKeyID string

	policies []*iampolicy.Document
}

// Authenticate tells who signed a request, whose whole body is given, for a
// service. The error is an *apigw.Error in AWS's words: the caller's fault, or
// InternalServerErrorException.
func (d *Directory) Authenticate(r *http.Request, body []byte, service string) (*Identity, error) {
	// What the signature is verified with is what the caller is taken for, even
	// if credentials change meanwhile.
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

// Plausible reports whether a request can turn out to be signed by somebody
// known, or has a token that is right, before its body is read. Check refuses
// all others, whatever their body.
func (d *Directory) Plausible(r *http.Request, service string) bool {
	if token, given := bearer(r); given {
		_, err := d.authenticateToken(token)
		return err == nil
	}
	_, verifier := d.snapshot()
	return verifier.Plausible(r.Context(), r, service)
}

// snapshot is who is known at this moment, and how to verify that it was them.
func (d *Directory) snapshot() (keys, *sigv4.Verifier) {
	known := keys{*d.current.Load(), d.now}
	return known, &sigv4.Verifier{Keys: known, Region: d.region, Now: d.now}
}

// ClaimedKey returns the access key that a request claims to be signed with, or
// the id of the token that it has, for records of refusals; "" where there is
// none that could be one.
func ClaimedKey(r *http.Request) string {
	if token, given := bearer(r); given {
		return claimedToken(token)
	}
	if key := sigv4.ClaimedKey(r); accessKeyID.MatchString(key) {
		return key
	}
	return ""
}

// errSessionToken answers requests signed with temporary credentials, which
// only AWS's token service gives out.
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
	case found == nil || found.disabled || found.token != nil: // which has no secret to sign with
		return "", sigv4.ErrUnknownKey
	case found.ended(k.now()):
		return found.secret(), sigv4.ErrExpiredKey
	}
	return found.secret(), nil
}

// userID derives a user's unique id, so that it is the same on every node and
// after every start.
func userID(account, user string) string {
	sum := sha256.Sum256([]byte(account + "/" + user))
	return "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
