package tlsrecord

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"hash"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	maxSecret = sha512.Size384 // bytes of the longest traffic secret
	nonceSize = 12
	tagSize   = 16
)

// rekeyAfter is how many records are sent under one key. AES-GCM is safe for 2^24.5 full
// ones (RFC 8446, section 5.5). Tests change it.
var rekeyAfter uint64 = 1 << 24

// suite is one of the three cipher suites of TLS 1.3 that crypto/tls has.
type suite uint16

// known reports whether it is one of them.
func (s suite) known() bool {
	switch uint16(s) {
	case tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256:
		return true
	}
	return false
}

// secretSize is how many bytes a traffic secret has.
func (s suite) secretSize() int {
	if uint16(s) == tls.TLS_AES_256_GCM_SHA384 {
		return sha512.Size384
	}
	return sha256.Size
}

// expand is HKDF-Expand-Label of RFC 8446, section 7.1, without a context.
func (s suite) expand(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(size >> 8), byte(size), byte(len(label))}, label...)
	info = append(info, 0)
	newHash := sha256.New
	if uint16(s) == tls.TLS_AES_256_GCM_SHA384 {
		newHash = sha512.New384
	}
	out, err := hkdf.Expand(func() hash.Hash { return newHash() }, secret, string(info), size)
	if err != nil {
		panic("tlsrecord: " + err.Error()) // sizes are ours
	}
	return out
}

// keys protect the records of one direction.
type keys struct {
	aead  cipher.AEAD
	iv    [nonceSize]byte
	nonce [nonceSize]byte // of the record at hand
}

// derive makes the keys of a traffic secret.
func (s suite) derive(secret []byte) *keys {
	size := 32
	if uint16(s) == tls.TLS_AES_128_GCM_SHA256 {
		size = 16
	}
	key := s.expand(secret, "key", size)
	defer clear(key)
	k := new(keys)
	copy(k.iv[:], s.expand(secret, "iv", nonceSize))
	var err error
	if uint16(s) == tls.TLS_CHACHA20_POLY1305_SHA256 {
		k.aead, err = chacha20poly1305.New(key)
	} else {
		var block cipher.Block
		if block, err = aes.NewCipher(key); err == nil {
			k.aead, err = cipher.NewGCM(block)
		}
	}
	if err != nil {
		panic("tlsrecord: " + err.Error()) // sizes are ours
	}
	return k
}

// nonceOf returns the nonce of a record.
func (k *keys) nonceOf(sequence uint64) []byte {
	k.nonce = k.iv
	tail := k.nonce[nonceSize-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^sequence)
	return k.nonce[:]
}

// half is one direction of a connection.
type half struct {
	keys     *keys  // nil: not derived
	sequence uint64 // of the next record
	secret   [maxSecret]byte
}

// ready returns the keys.
func (h *half) ready(s suite) *keys {
	if h.keys == nil {
		h.keys = s.derive(h.secret[:s.secretSize()])
	}
	return h.keys
}

// update changes to the next secret.
func (h *half) update(s suite) {
	next := s.expand(h.secret[:s.secretSize()], "traffic upd", s.secretSize())
	copy(h.secret[:], next)
	clear(next)
	h.keys, h.sequence = nil, 0
}

// open opens a record in its place, and returns its type and what it holds.
func (h *half) open(s suite, record []byte) (kind byte, content []byte, err error) {
	size, err := Size(record)
	switch {
	case err != nil:
		return 0, nil, err
	case size != len(record):
		panic("tlsrecord: not a whole record")
	case record[0] == typeChangeCipherSpec: // it is never encrypted, and comes during the handshake only
		return 0, nil, AlertUnexpectedMessage
	}
	k := h.ready(s)
	header, sealed := record[:headerSize], record[headerSize:]
	content, err = k.aead.Open(sealed[:0], k.nonceOf(h.sequence), sealed, header)
	if err != nil {
		return 0, nil, AlertBadRecordMAC
	}
	h.sequence++
	if record[0] != typeData {
		return 0, nil, AlertUnexpectedMessage
	}
	if len(content) > maxPlaintext+1 {
		return 0, nil, AlertRecordOverflow
	}
	for len(content) > 0 && content[len(content)-1] == 0 { // padding
		content = content[:len(content)-1]
	}
	if len(content) == 0 {
		return 0, nil, AlertUnexpectedMessage
	}
	kind, content = content[len(content)-1], content[:len(content)-1]
	if len(content) > maxPlaintext {
		return 0, nil, AlertRecordOverflow
	}
	return kind, content, nil
}

// seal appends a record.
func (h *half) seal(s suite, dst []byte, kind byte, content []byte) []byte {
	k := h.ready(s)
	size := len(content) + overhead
	dst = slices.Grow(dst, headerSize+size)
	header := append(dst[len(dst):], typeData, version>>8, version&0xff, byte(size>>8), byte(size))
	plain := append(append(header[headerSize:], content...), kind)
	k.aead.Seal(plain[:0], k.nonceOf(h.sequence), plain, header)
	h.sequence++
	return dst[:len(dst)+headerSize+size]
}
