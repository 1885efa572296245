package authorizer

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys    = 64
	minRSABits = 2048
	maxRSABits = 8192
)

// keySet is the keys of an issuer. It is immutable.
type keySet struct {
	fetched time.Time
	keys    []jose.JSONWebKey
}

// newKeySet reads keys, each a JWK. It skips those that cannot be used. The error is
// for too many keys, and for none that can be used.
func newKeySet(texts []json.RawMessage) (*keySet, error) {
	if len(texts) > maxKeys {
		return nil, fmt.Errorf("there are more than %d keys", maxKeys)
	}
	set := &keySet{fetched: time.Now()}
	for _, text := range texts {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) == nil && usable(&key) {
			set.keys = append(set.keys, key)
		}
	}
	if len(set.keys) == 0 {
		return nil, errors.New("there is no key to verify signatures with")
	}
	return set, nil
}

// usable reports whether a key can check signatures: not a secret key, nor one for
// encryption, nor an RSA key that is weak or so long that a check takes long.
func usable(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok {
		return k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits
	}
	return true
}

// find returns the keys that have the given id and fit an algorithm; for the id "",
// all that fit. A nil set has none.
func (s *keySet) find(keyID, algorithm string) []jose.JSONWebKey {
	if s == nil {
		return nil
	}
	var found []jose.JSONWebKey
	for _, key := range s.keys {
		if (keyID == "" || key.KeyID == keyID) && fits(&key, algorithm) {
			found = append(found, key)
		}
	}
	return found
}

// fits reports whether a key is of the type that an algorithm needs, and not meant
// for another algorithm.
func fits(key *jose.JSONWebKey, algorithm string) bool {
	if key.Algorithm != "" && key.Algorithm != algorithm {
		return false
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] == "RS" || algorithm[:2] == "PS"
	case *ecdsa.PublicKey:
		return map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384", elliptic.P521(): "ES512"}[k.Curve] == algorithm
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}
