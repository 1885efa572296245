package authorizer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// maxToken is how many bytes a token may have.
const maxToken = 16 << 10

// jwtAuthorizer is an authorizer that lets in clients with a token of an issuer.
type jwtAuthorizer struct {
	settings *settings
	issuer   *issuer
}

// Authorize implements Authorizer. The reasons of refusals don't hold the token.
func (a *jwtAuthorizer) Authorize(ctx context.Context, e Event) (*Grant, *failure.Error) {
	token, protocol := a.settings.source.token(e)
	payload, subject, refusal := a.examine(ctx, token)
	if refusal != nil {
		return new(Grant), refusal
	}
	return &Grant{Principal: subject, Context: a.context(payload), Protocol: protocol}, nil
}

// examine checks a token, and returns its claims and their subject.
func (a *jwtAuthorizer) examine(ctx context.Context, token string) (payload []byte, subject string, refusal *failure.Error) {
	if token == "" {
		return nil, "", unauthorized("there is not one token in %s", a.settings.source)
	}
	if len(token) > maxToken {
		return nil, "", unauthorized("the token is longer than %d characters", maxToken)
	}
	payload, refusal = a.verify(ctx, token)
	if refusal != nil {
		return nil, "", refusal
	}
	claims, err := a.check(payload, time.Now())
	if err != nil {
		return nil, "", unauthorized("%w", err)
	}
	if !claims.hasScope(a.settings.scopes) {
		return nil, "", failure.New(failure.Denied, "the token of %q has none of the scopes %v", claims.Subject, a.settings.scopes)
	}
	return payload, claims.Subject, nil
}

// verify checks the signature of a token, and returns what is signed.
func (a *jwtAuthorizer) verify(ctx context.Context, token string) ([]byte, *failure.Error) {
	signed, err := jose.ParseSignedCompact(token, a.settings.algorithms)
	if err != nil {
		return nil, unauthorized("the token cannot be read, or has an algorithm other than %v", a.settings.algorithms)
	}
	header := signed.Signatures[0].Protected
	keys, err := a.issuer.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, failed("the keys of the token's issuer are not known: %w", err)
	}
	for i := range keys {
		if payload, err := signed.Verify(&keys[i]); err == nil {
			return payload, nil
		}
	}
	if len(keys) == 0 {
		return nil, unauthorized("the issuer has no key %q for %s", header.KeyID, header.Algorithm)
	}
	return nil, unauthorized("the token's signature is wrong")
}

// claims are the claims of a token that are checked.
type claims struct {
	jwt.Claims
	ClientID string    `json:"client_id"`
	Scope    scopeList `json:"scope"`
	Scp      scopeList `json:"scp"`
}

// scopeList is a list of scopes. In JSON it is a list, or a text with spaces between
// the scopes.
type scopeList []string

func (s *scopeList) UnmarshalJSON(text []byte) error {
	var joined string
	if json.Unmarshal(text, &joined) == nil {
		*s = strings.Fields(joined)
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// check reads the claims of a token, and compares them with the settings. Where a
// token has no aud, its client_id is compared instead: access tokens of Cognito
// have that.
func (a *jwtAuthorizer) check(payload []byte, now time.Time) (*claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, fmt.Errorf("the token's claims cannot be read: %w", err)
	}
	if c.Expiry == nil {
		return nil, fmt.Errorf("the token never expires: it has no exp")
	}
	expected := jwt.Expected{Issuer: a.settings.issuer, Time: now}
	if err := c.ValidateWithLeeway(expected, a.settings.leeway); err != nil {
		return nil, fmt.Errorf("the token of %q by %q: %w", c.Subject, c.Issuer, err)
	}
	audiences := []string(c.Audience)
	if len(audiences) == 0 {
		audiences = []string{c.ClientID}
	}
	if !overlap(audiences, a.settings.audiences) {
		return nil, fmt.Errorf("the token of %q is for %q, not for %q", c.Subject, audiences, a.settings.audiences)
	}
	return &c, nil
}

// hasScope reports whether there is one of the scopes, or none is wanted.
func (c *claims) hasScope(wanted []string) bool {
	return len(wanted) == 0 || overlap(c.Scope, wanted) || overlap(c.Scp, wanted)
}

// overlap reports whether two lists have a text in common.
func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// context returns the claims that are members of $context.authorizer: texts as they
// are, lists and objects as JSON.
func (a *jwtAuthorizer) context(payload []byte) []event.Parameter {
	document, err := jsonvalue.Parse(payload)
	object, ok := document.(*jsonvalue.Object)
	if err != nil || !ok {
		return nil
	}
	entries := make([]event.Parameter, 0, object.Len())
	for name, value := range object.All() {
		if value == nil || reserved(name) || len(a.settings.claims) > 0 && !slices.Contains(a.settings.claims, name) {
			continue
		}
		text, ok := scalar(value)
		if !ok {
			text = string(jsonvalue.Append(nil, value))
		}
		entries = append(entries, event.Parameter{Name: name, Value: text})
	}
	return entries
}

// scalar returns a string, number or boolean as the text that events have for it. It
// reports false for any other value.
func scalar(value any) (text string, ok bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool, jsonvalue.Number:
		return string(jsonvalue.Append(nil, value)), true
	}
	return "", false
}
