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

// keySet is the keys of an issuer. It is not changed.
type keySet struct {
	fetched time.Time
	keys    []jose.JSONWebKey
}

// newKeySet reads keys, without those that are not for signatures, or of a kind
// that is not known here. There must be at least one.
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

// usable leaves out secret keys, keys for encryption, and keys that are weak or
// would take long.
func usable(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
		return false
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok {
		return k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits
	}
	return true
}

// find gives the keys with an id that fit an algorithm; for a token without a
// key id, all that fit. A nil set has none.
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

// fits: a key is of the kind that an algorithm works with, and not meant for
// another one.
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
