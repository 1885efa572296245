package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// Credential is an access key or a bearer token, with its user and what that
// user may do with it.
type Credential struct {
	// User is the name of an IAM user: 1 to 64 letters, digits and _+=,.@-
	User string
	// AccessKeyID is public: 3 to 128 letters, digits, _ and -
	AccessKeyID string
	// Secret is the secret access key, 16 characters or more: a shorter one
	// could be guessed from a signed request.
	Secret Secret
	// TokenHash is set for a bearer token, which has no Secret: the SHA-256 of
	// the token's secret part, in hexadecimal.
	TokenHash string
	// Policies are IAM policy documents in JSON. Without any, the user is
	// authenticated, but may do nothing.
	Policies []string
	// Expires is when the credential expires; the zero time stands for never.
	Expires time.Time
	// Disabled is set for a credential that is refused as if it did not exist.
	Disabled bool
}

// fromStore returns the credential that the store's record stands for.
func fromStore(k *apigw.AccessKey) Credential {
	return Credential{
		User: k.UserName, AccessKeyID: k.AccessKeyId, Secret: Secret(k.SecretAccessKey), TokenHash: k.TokenHash,
		Policies: k.Policies, Expires: k.Expires, Disabled: k.Status != active,
	}
}

// active is the status of access keys that can be used.
const active = "Active"

// key is a Credential that is ready for use.
type key struct {
	identity *Identity
	// secret is a function because package fmt prints unexported fields without
	// calling their methods.
	secret   func() string
	token    *tokenHash // nil for an access key; a token cannot sign
	expires  time.Time
	disabled bool
}

const minSecret = 16

var (
	userName    = lazyregexp.New(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	accessKeyID = lazyregexp.New(`^[A-Za-z0-9_-]{3,128}$`)
)

// IsUserName reports whether a text may be the name of a user.
func IsUserName(text string) bool { return userName.MatchString(text) }

// IsAccessKeyID reports whether a text may be an access key id.
func IsAccessKeyID(text string) bool { return accessKeyID.MatchString(text) }

// Check returns an error that has everything that is wrong with a credential,
// nil for a good one. The text has no secret in it.
func (c *Credential) Check() error {
	_, err := c.compile("", "")
	return err
}

// compile checks a credential of an account in a region, and prepares it.
func (c *Credential) compile(region, account string) (*key, error) {
	var mistakes []error
	complain := func(format string, values ...any) { mistakes = append(mistakes, fmt.Errorf(format, values...)) }
	if !IsUserName(c.User) {
		complain("the user's name %q is not 1 to 64 letters, digits and _+=,.@-", c.User)
	}
	if !IsAccessKeyID(c.AccessKeyID) {
		complain("the access key id %q is not 3 to 128 letters, digits, _ and -", c.AccessKeyID)
	}
	var token *tokenHash
	switch {
	case c.TokenHash == "" && len(c.Secret) < minSecret:
		complain("the secret access key is shorter than %d characters", minSecret)
	case c.TokenHash != "" && c.Secret != "":
		complain("it is both a token and a secret access key")
	case c.TokenHash != "":
		if token = parseTokenHash(c.TokenHash); token == nil {
			complain("the hash of the token is not a SHA-256 in hexadecimal")
		}
	}
	secret := string(c.Secret)
	k := &key{secret: func() string { return secret }, token: token, expires: c.Expires, disabled: c.Disabled, identity: &Identity{
		User: c.User, UserID: userID(account, c.User), ARN: "arn:" + apigw.Partition(region) + ":iam::" + account + ":user/" + c.User,
		AccountID: account, AccessKeyID: c.AccessKeyID,
	}}
	for i, text := range c.Policies {
		document, err := iampolicy.Parse([]byte(text), iampolicy.Identity)
		if err != nil {
			complain("policy %d: %w", i+1, err)
			continue
		}
		k.identity.policies = append(k.identity.policies, document)
	}
	if len(mistakes) > 0 {
		return nil, fmt.Errorf("access key %q: %w", c.AccessKeyID, errors.Join(mistakes...))
	}
	return k, nil
}
