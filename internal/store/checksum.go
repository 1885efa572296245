package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Every record has a checksum of our own, in a header of its message: over its
// key and value as they were given, before anything else got hold of them.
const checksumHeader = "Stagedoor-SHA256"

// removalSum stands for the checksum in the mark of a removal.
const removalSum = "removed"

// checksum is that of a record.
func checksum(key string, value []byte) string {
	h := sha256.New()
	_, _ = io.WriteString(h, key)
	_, _ = h.Write([]byte{0})
	_, _ = h.Write(value)
	return hex.EncodeToString(h.Sum(nil))
}

// checkedRecord returns the record of a message, with an Err if it is not as it
// was written. One without a checksum is of an earlier version.
func checkedRecord(key string, packed []byte, revision uint64, sum string) Record {
	r := Record{Key: key, Value: unpackOrKeep(packed), Revision: revision}
	if sum != "" && sum != checksum(key, r.Value) {
		r.Err = ErrDamaged
	}
	return r
}
