package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// checksumHeader is the header of a message with the record's checksum. It is
// made of the key and the value as they are given to Put, so it covers all that
// happens to them afterwards.
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

// checkedRecord returns the record of a message. The record has an Err if its
// value does not have the checksum. An earlier version wrote records without
// one (sum is "" then); they are not checked.
func checkedRecord(key string, packed []byte, revision uint64, sum string) Record {
	r := Record{Key: key, Value: unpackOrKeep(packed), Revision: revision}
	if sum != "" && sum != checksum(key, r.Value) {
		r.Err = ErrDamaged
	}
	return r
}
