package websocket

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"reflect"
	"slices"
	"unsafe"
)

// recordBuffers are the two buffers that a tls.Conn has for what it reads: records, and messages of the handshake. It keeps
// them as large as they were ever needed, for as long as it lives: 4 KiB after a handshake, 40 KiB after one large record. So
// they are lent to it for the time that it reads, and taken away while it is idle.
//
// There is no other way to them than by their names. Where a version of crypto/tls has other ones they are left alone, which
// costs memory and nothing else; TestRecordBuffers fails then.
type recordBuffers struct{ raw, hand *bytes.Buffer } // nil: not found

// lentRecord is the size of a buffer that holds any record, and the room behind it that bytes.Buffer asks for.
const lentRecord = recordHeader + maxRecord + 2048 + 2*bytes.MinRead

// recordHeader is the size of a record's header, which ends with the length of the rest.
const recordHeader = 5

var rawOffset, handOffset, haveRecordBuffers = findRecordBuffers(reflect.TypeFor[tls.Conn]())

// findRecordBuffers returns where the buffers are in a tls.Conn. It reports whether both are there.
func findRecordBuffers(conn reflect.Type) (raw, hand uintptr, ok bool) {
	rawField, haveRaw := conn.FieldByName("rawInput")
	handField, haveHand := conn.FieldByName("hand")
	buffer := reflect.TypeFor[bytes.Buffer]()
	if !haveRaw || !haveHand || rawField.Type != buffer || handField.Type != buffer {
		return 0, 0, false
	}
	return rawField.Offset, handField.Offset, true
}

// buffersOf returns the buffers of a connection. They may be touched while none of its methods runs.
func buffersOf(conn *tls.Conn) recordBuffers {
	if !haveRecordBuffers {
		return recordBuffers{}
	}
	return recordBuffers{
		raw:  (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(conn), rawOffset)),
		hand: (*bytes.Buffer)(unsafe.Add(unsafe.Pointer(conn), handOffset)),
	}
}

// lend gives the connection a buffer for records, if it has none. takeBack gets what it returns.
func (r recordBuffers) lend() (lent *buffer) {
	if r.raw == nil || r.raw.Cap() > 0 {
		return nil
	}
	lent = newBuffer(lentRecord)
	*r.raw = *bytes.NewBuffer(lent.data)
	return lent
}

// takeBack takes the buffers away that hold nothing, and what was lent. The beginning of a record gets a buffer of its size.
func (r recordBuffers) takeBack(lent *buffer) {
	if r.raw == nil {
		return
	}
	switch {
	case r.raw.Len() == 0:
		*r.raw = bytes.Buffer{}
	case lent != nil:
		*r.raw = *bytes.NewBuffer(slices.Clone(r.raw.Bytes()))
	}
	if r.hand.Len() == 0 {
		*r.hand = bytes.Buffer{}
	}
	lent.free()
}

// wanted is how many bytes the connection is to be given at most, when it reads: to the end of a header, or of a record, so
// that no more than one is in the buffer that is lent.
func (r recordBuffers) wanted() int {
	const all = 1 << 20
	if r.raw == nil {
		return all
	}
	have := r.raw.Bytes()
	if len(have) < recordHeader {
		return recordHeader - len(have)
	}
	rest := recordHeader + int(binary.BigEndian.Uint16(have[recordHeader-2:])) - len(have)
	if rest <= 0 {
		return all
	}
	return rest
}

// held is the memory that they take, in bytes, as the budget counts it.
func (r recordBuffers) held() int {
	if r.raw == nil {
		return 0
	}
	held := r.raw.Cap() + r.hand.Cap()
	if held <= smallestBuffer {
		return 0
	}
	return held
}
