package identity

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
)

// Credential is an access key, whose it is, and what its holder may do.
type Credential struct {
	// User is the name of an IAM user: 1 to 64 letters, digits and _+=,.@-
	User string
	// AccessKeyID is public: 3 to 128 letters, digits, _ and -
	AccessKeyID string
	// Secret is the secret access key, 16 characters or more: whoever sees a
	// signed request could guess a shorter one at leisure.
	Secret Secret
	// TokenHash makes the credential a bearer token in place of an access key that
	// signs: the SHA-256 of the token's secret part, in hexadecimal. Secret is
	// empty then.
	TokenHash string
	// Policies are IAM policy documents in JSON. Without any, the holder is
	// known, and may do nothing.
	Policies []string
	// Expires is when the access key ends; the zero time stands for never.
	Expires time.Time
	// Disabled access keys are refused as unknown ones.
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
	// secret is a function because package fmt prints unexported fields as they
	// are, without asking their methods.
	secret   func() string
	token    *tokenHash // not nil: a token, that signs nothing
	expires  time.Time
	disabled bool
}

const minSecret = 16

var (
	userName    = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	accessKeyID = regexp.MustCompile(`^[A-Za-z0-9_-]{3,128}$`)
)

// Check tells all that is wrong with a credential. The text has no secret.
func (c *Credential) Check() error {
	_, err := c.compile("", "")
	return err
}

// compile checks a credential of an account in a region, and prepares it.
func (c *Credential) compile(region, account string) (*key, error) {
	var mistakes []error
	complain := func(format string, values ...any) { mistakes = append(mistakes, fmt.Errorf(format, values...)) }
	if !userName.MatchString(c.User) {
		complain("the user's name %q is not 1 to 64 letters, digits and _+=,.@-", c.User)
	}
	if !accessKeyID.MatchString(c.AccessKeyID) {
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
