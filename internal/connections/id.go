package connections

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	mathrand "math/rand/v2"
)

// ID is a connection id: 13 bytes that API Gateway's clients see as 20
// characters of URL-safe base64 ending in "==".
//
//	0..5   random; differs between the ids of one connection
//	6      check byte over all others
//	7..8   the node that holds the connection
//	9..12  random; shared by all ids of one connection
//
// The check byte tells an id that was never issued (400) from one whose
// connection is gone (410), also after a restart. 80 random bits keep ids from
// being guessed.
type ID [13]byte

const checkByte = 6

var encoding = base64.URLEncoding.Strict()

// NewID makes the id of a new connection on a node.
func NewID(node uint16) ID {
	var id ID
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	binary.BigEndian.PutUint16(id[7:], node)
	id[checkByte] = id.check()
	return id
}

// Message makes the id of a message of the connection. It shares the
// connection's tail, and is no secret.
func (id ID) Message() ID {
	head := mathrand.Uint64()
	for i := range checkByte {
		id[i] = byte(head >> (8 * i))
	}
	id[checkByte] = id.check()
	return id
}

// ParseID reads an id as a client writes it. It answers false for anything
// that is not the form of an id issued here.
func ParseID(s string) (ID, bool) {
	var id ID
	if len(s) != encoding.EncodedLen(len(id)) {
		return ID{}, false
	}
	var buffer [15]byte
	n, err := encoding.Decode(buffer[:], []byte(s))
	if err != nil || n != len(id) {
		return ID{}, false
	}
	copy(id[:], buffer[:])
	return id, id[checkByte] == id.check()
}

func (id ID) String() string { return encoding.EncodeToString(id[:]) }

// check is a sum in which order and value of every other byte count.
func (id ID) check() byte {
	sum := byte(0x5d)
	for i, b := range id {
		if i != checkByte {
			sum = (sum<<1 | sum>>7) ^ b
		}
	}
	return sum
}
