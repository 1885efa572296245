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

// A bearer token is an id, which is public, a dot, and 43 characters of base64url:
// a secret of 256 bits. Being that, it needs no hash that is slow to compute.
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

// generateToken makes a token, and gives what of it the store may have.
func generateToken() (id string, token Secret, hash string) {
	var public [10]byte
	var secret [32]byte
	_, _ = rand.Read(public[:]) // it never fails: the program would end
	_, _ = rand.Read(secret[:])
	id = tokenIDPrefix + base32.StdEncoding.EncodeToString(public[:])
	text := base64.RawURLEncoding.EncodeToString(secret[:])
	sum := sha256.Sum256([]byte(text))
	return id, Secret(id + "." + text), hex.EncodeToString(sum[:])
}

// bearer returns the token of a request, given where it has an Authorization
// header of the scheme Bearer. One that contradicts itself, with a second
// header or with a signature in its query, has none: as a signed one it is
// refused.
func bearer(r *http.Request) (token string, given bool) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 || strings.Contains(strings.ToLower(r.URL.RawQuery), "x-amz-algorithm") {
		return "", false
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	return strings.TrimLeft(token, " "), strings.EqualFold(scheme, "Bearer")
}

// claimedToken returns the id in a token, "" where it is none of ours.
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

// authenticateToken tells whose a token is. It does the same work whether the id
// is known or not. The error is an *apigw.Error.
func (d *Directory) authenticateToken(token string) (*Identity, error) {
	id, secret, _ := strings.Cut(token, ".")
	if len(id) != tokenIDLength || len(secret) != secretLength {
		return nil, errUnknownToken
	}
	found := (*d.current.Load())[id]
	var expected tokenHash // which no secret has
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

// ended reports whether a credential's time is over.
func (k *key) ended(now time.Time) bool { return !k.expires.IsZero() && !now.Before(k.expires) }
