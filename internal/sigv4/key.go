package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"sync"
	"sync/atomic"
)

// mostSigning is how many keys SigningKeys keeps.
const mostSigning = 256

// SigningKeys keeps the keys that were derived from secrets, each for a day, a region
// and a service, so that they need not be derived again for each request. The zero value
// is ready, and safe for concurrent use.
type SigningKeys struct {
	current atomic.Pointer[map[signingScope]*signingKey] // never changed
	mu      sync.Mutex                                   // held to replace it
}

// signingScope is what a key is derived from.
type signingScope struct{ secret, date, region, service string }

// of returns the key of a scope. Nil keeps none.
func (k *SigningKeys) of(s signingScope) *signingKey {
	if k == nil {
		return s.derive()
	}
	if known := k.current.Load(); known != nil {
		if key := (*known)[s]; key != nil {
			return key
		}
	}
	key := s.derive()
	k.mu.Lock()
	defer k.mu.Unlock()
	var next map[signingScope]*signingKey
	if known := k.current.Load(); known != nil && len(*known) < mostSigning {
		next = maps.Clone(*known)
	} else {
		next = make(map[signingScope]*signingKey) // those that are still in use come again
	}
	next[s] = key
	k.current.Store(&next)
	return key
}

// signingKey is a key, as HMAC with SHA-256 uses it: the beginnings of its two hashes.
type signingKey struct{ inner, outer [sha256.BlockSize]byte }

// derive derives the key that signs requests.
func (s signingScope) derive() *signingKey {
	secret := []byte("AWS4" + s.secret)
	for _, part := range [...]string{s.date, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(part))
		secret = mac.Sum(nil)
	}
	k := &signingKey{}
	copy(k.inner[:], secret)
	copy(k.outer[:], secret)
	for i := range sha256.BlockSize {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sign returns the signature in lower-case hexadecimal digits.
func (k *signingKey) sign(toSign string) (signature [2 * sha256.Size]byte) {
	var block [sha256.BlockSize + 256]byte
	hash := sha256.Sum256(append(append(block[:0], k.inner[:]...), toSign...))
	hash = sha256.Sum256(append(append(block[:0], k.outer[:]...), hash[:]...))
	hex.Encode(signature[:], hash[:])
	return signature
}
