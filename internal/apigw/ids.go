package apigw

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// NewRequestID makes an id of the data plane: 16 characters of URL-safe
// base64 ending in "=". It is unique, but no secret.
func NewRequestID() string {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	return base64.URLEncoding.EncodeToString(id[:11])
}

// NewUUID makes a random UUID, the form of management request ids.
func NewUUID() string {
	a, b := rand.Uint64(), rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a)&0xfff,
		uint16(b>>48)&0x3fff|0x8000, b&0xffffffffffff)
}

// NewTraceID makes a value of X-Amzn-Trace-Id.
func NewTraceID(now time.Time) string {
	return fmt.Sprintf("Root=1-%08x-%08x%016x", uint32(now.Unix()), rand.Uint32(), rand.Uint64())
}

// Lengths of the ids of resources.
const (
	apiIDLength   = 10
	routeIDLength = 7 // and integrations'
	childIDLength = 6 // all others
)

// NewAPIID makes an id for an API.
func NewAPIID() string { return newID(apiIDLength) }

// NewRouteID makes an id for a route or an integration.
func NewRouteID() string { return newID(routeIDLength) }

// NewChildID makes an id for any other resource of an API, a deployment
// included. Within the API it may exist already.
func NewChildID() string { return newID(childIDLength) }

// newID makes an id of lower-case letters and digits, a letter first.
func newID(length int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	const alphabet = letters + "0123456789"
	id := make([]byte, length)
	id[0] = letters[rand.IntN(len(letters))]
	for i := 1; i < length; i++ {
		id[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(id)
}
