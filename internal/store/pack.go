package store

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

// packedFrom is the size from which on values are compressed. Servers take
// messages of 1 MB as they come, and an API with its templates is mostly text.
const packedFrom = 64 << 10

// magic is the beginning of gzip's output. Values that pack does not compress
// begin differently.
var magic = []byte{0x1f, 0x8b}

// pack returns the bytes that are stored for a value: compressed, if it is
// large.
func pack(value []byte) []byte {
	if len(value) < packedFrom && !bytes.HasPrefix(value, magic) {
		return value
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // the level is a valid one
	_, _ = w.Write(value)                                // a buffer does not fail
	_ = w.Close()
	if packed.Len() >= len(value) && !bytes.HasPrefix(value, magic) {
		return value
	}
	return packed.Bytes()
}

// unpack is the inverse of pack.
func unpack(packed []byte) ([]byte, error) {
	if !bytes.HasPrefix(packed, magic) {
		return packed, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	value, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return value, nil
}

// unpackOrKeep is unpack, but returns bytes that cannot be unpacked as they
// are: decoding them reports them as any other damaged record.
func unpackOrKeep(packed []byte) []byte {
	value, err := unpack(packed)
	if err != nil {
		return packed
	}
	return value
}
