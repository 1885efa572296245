package connections

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
)

// ID is a connection id: 13 bytes that API Gateway's clients see as 20
// characters of URL-safe base64 ending in "==".
//
//	0..5   random; differs between the ids of one connection
//	6..7   the node that holds the connection
//	8..11  random
//	12     check byte over all others
//
// The check byte tells an id that was never issued (400) from one whose
// connection is gone (410), also after a restart. 80 random bits keep ids from
// being guessed.
type ID [13]byte

const (
	headBytes = 6 // as many as apigw.NewMessageID replaces
	checkByte = 12
)

var encoding = base64.URLEncoding.Strict()

// NewID makes the id of a new connection on a node.
func NewID(node uint16) ID {
	var id ID
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	binary.BigEndian.PutUint16(id[headBytes:], node)
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

func (id ID) String() string {
	var text [20]byte
	encoding.Encode(text[:], id[:])
	return string(text[:])
}

// check is a CRC-8 (polynomial 0x07, as in ITU-T I.432.1). It notices every
// change within eight neighbouring bits, so every single changed character. It
// begins with ones, so that an id of zeros, which people make up, is not one.
func (id ID) check() byte {
	crc := byte(0xff)
	for _, b := range id[:checkByte] {
		crc = crcOf[crc^b]
	}
	return crc
}

// crcOf is the CRC of each single byte.
var crcOf = func() (table [256]byte) {
	for b := range table {
		crc := byte(b)
		for range 8 {
			carry := crc&0x80 != 0
			crc <<= 1
			if carry {
				crc ^= 0x07
			}
		}
		table[b] = crc
	}
	return table
}()
