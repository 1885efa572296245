package apigw

import (
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// NewRequestID makes an id of the data plane: 16 characters of URL-safe
// base64 ending in "=". It is unique, but no secret.
func NewRequestID() string {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	var text [requestIDLength]byte
	base64.URLEncoding.Encode(text[:], id[:11])
	return string(text[:])
}

// NewMessageID makes the id of a message: that of its connection with another head. It
// is no secret.
func NewMessageID(connectionID string) string {
	var head [8]byte
	binary.LittleEndian.PutUint64(head[:], rand.Uint64())
	var text [connectionIDLength]byte
	n := copy(text[:], connectionID)
	base64.URLEncoding.Encode(text[:messageHead], head[:messageHead/4*3])
	return string(text[:n])
}

// NewUUID makes a random UUID, the form of management request ids.
func NewUUID() string {
	a, b := rand.Uint64(), rand.Uint64()
	a, b = a&^0xf000|0x4000, b&^(0xc000<<48)|0x8000<<48 // version 4, and the variant of RFC 9562
	var text [36]byte
	dst := appendHex(text[:0], a>>32, 8)
	dst = appendHex(append(dst, '-'), a>>16, 4)
	dst = appendHex(append(dst, '-'), a, 4)
	dst = appendHex(append(dst, '-'), b>>48, 4)
	return string(appendHex(append(dst, '-'), b, 12))
}

// NewTraceID makes a value of X-Amzn-Trace-Id.
func NewTraceID(now time.Time) string {
	var text [len("Root=1-") + 8 + 1 + 24]byte
	dst := appendHex(append(text[:0], "Root=1-"...), uint64(now.Unix()), 8)
	dst = appendHex(append(dst, '-'), uint64(rand.Uint32()), 8)
	return string(appendHex(dst, rand.Uint64(), 16))
}

// appendHex appends the last digits of n in base 16.
func appendHex(dst []byte, n uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[n>>shift&0xf])
	}
	return dst
}

// Lengths of the ids of the data plane.
const (
	requestIDLength    = 16
	connectionIDLength = 20
	messageHead        = 8 // of a message's id: what differs from the connection's; whole groups of base64
)

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
