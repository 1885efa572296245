package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// A bearer token is an id, which is public, a dot, and 43 characters of
// base64url: a secret of 256 bits. Such a secret cannot be guessed, so its hash
// need not be slow to compute.
const (
	tokenIDPrefix = "SDTK"
	tokenIDLength = 20
	secretLength  = 43
)

// tokenHash is the SHA-256 of a token's secret part.
type tokenHash [sha256.Size]byte

// parseTokenHash reads a hash as the store has it; nil stands for none.
func parseTokenHash(text string) *tokenHash {
	bytes, err := hex.DecodeString(text)
	if err != nil || len(bytes) != sha256.Size {
		return nil
	}
	return (*tokenHash)(bytes)
}

// generateToken makes a token, and returns with it the two parts that the store
// may have: its id, and the hash of its secret.
func generateToken() (id string, token Secret, hash string) {
	var public [10]byte
	var secret [32]byte
	_, _ = rand.Read(public[:]) // it never returns an error
	_, _ = rand.Read(secret[:])
	id = tokenIDPrefix + base32.StdEncoding.EncodeToString(public[:])
	text := base64.RawURLEncoding.EncodeToString(secret[:])
	sum := sha256.Sum256([]byte(text))
	return id, Secret(id + "." + text), hex.EncodeToString(sum[:])
}

// bearer returns the token of a request; given is false for a request without
// an Authorization header of the scheme Bearer. It is also false for a request
// that has a second Authorization header, or a signature in its query: that is
// refused as a wrongly signed one.
func bearer(r *http.Request) (token string, given bool) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 || strings.Contains(strings.ToLower(r.URL.RawQuery), "x-amz-algorithm") {
		return "", false
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	return strings.TrimLeft(token, " "), strings.EqualFold(scheme, "Bearer")
}

// claimedToken returns the id in a token, "" for a text that does not have the
// form of our tokens.
func claimedToken(token string) string {
	id, _, _ := strings.Cut(token, ".")
	if len(id) != tokenIDLength || !strings.HasPrefix(id, tokenIDPrefix) || !accessKeyID.MatchString(id) {
		return ""
	}
	return id
}

var (
	errUnknownToken = &apigw.Error{Status: http.StatusForbidden, Type: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
	errExpiredToken = &apigw.Error{Status: http.StatusForbidden, Type: "ExpiredTokenException", Message: "The security token included in the request is expired"}
)

// authenticateToken returns the identity that a token belongs to. It does the
// same work whether the id exists or not.
func (d *Directory) authenticateToken(token string) (*Identity, *apigw.Error) {
	id, secret, _ := strings.Cut(token, ".")
	if len(id) != tokenIDLength || len(secret) != secretLength {
		return nil, errUnknownToken
	}
	found := (*d.current.Load())[id]
	var expected tokenHash // no secret has this hash
	if found != nil && found.token != nil {
		expected = *found.token
	}
	sum := sha256.Sum256([]byte(secret))
	equal := subtle.ConstantTimeCompare(sum[:], expected[:]) == 1
	switch {
	case !equal || found.disabled:
		return nil, errUnknownToken
	case found.ended(d.now()):
		return nil, errExpiredToken
	}
	return found.identity, nil
}

// ended reports whether a credential has expired.
func (k *key) ended(now time.Time) bool { return !k.expires.IsZero() && !now.Before(k.expires) }
