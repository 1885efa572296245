// Package tlsrecord is the record layer of TLS 1.3 (RFC 8446, section 5) for a server's
// connections whose handshake crypto/tls has made. An idle connection costs some 150
// bytes, where a tls.Conn keeps 7 KB.
//
// # What it does, and what crypto/tls does
//
// crypto/tls makes the handshake: versions, certificates, key exchange, resumption,
// tickets. All of its decisions stand. Meanwhile a Tap, which lies between it and the
// socket, counts the records of either direction that are under the keys of the
// application data, and Secrets learns those keys from the key log, a hook of
// crypto/tls. Tap.Take then ends the use of the tls.Conn and returns a Layer.
//
// A Layer knows application data, alerts and KeyUpdate, and nothing else. TLS 1.2 has
// no Layer: Take returns an error, and the tls.Conn goes on.
//
// # Memory
//
// A Layer has a secret and a sequence number for each direction. The keys are derived
// from the secret when they are first needed, which takes some microseconds, and are
// kept until Rest is called.
//
// # Secrets
//
// Neither a Layer nor Secrets prints what it has, in whatever format. They are
// overwritten when they are not needed any more, as far as Go leaves no copies.
package tlsrecord

import (
	"encoding/binary"
	"fmt"
)

// Sizes of records, in bytes (RFC 8446, section 5).
const (
	headerSize    = 5
	maxPlaintext  = 1 << 14
	maxCiphertext = maxPlaintext + 256
	overhead      = 1 + tagSize // of a record beyond its header and what it holds: the type, and the authentication tag
)

// MaxRecord is the largest record, in bytes.
const MaxRecord = headerSize + maxCiphertext

// Types of records.
const (
	typeChangeCipherSpec = 20
	typeAlert            = 21
	typeHandshake        = 22
	typeData             = 23
)

// maxUseless is how many records without application data may follow each other. It is
// that of crypto/tls.
const maxUseless = 16

// version is what stands in the header of all records but those of the first flight.
const version = 0x0303

// Layer protects what is sent over a connection, and opens what comes. It does no input
// or output. What is received and what is sent are independent of each other: one
// goroutine at a time may call Open, and one, which may be another, the methods that
// append. Rest and Forget are called while nobody calls another.
type Layer struct {
	suite suite
	in    half
	out   half

	message     [keyUpdateSize]byte // the beginning of a handshake message of the peer
	messageSize uint8
	useless     uint8 // records since the last application data
}

// Received is what a record brought.
type Received struct {
	// Data is application data. It is in the record's memory.
	Data []byte
	// Closed says that the peer has said its last: nothing more comes.
	Closed bool
	// UpdateRequested says that the peer wants KeyUpdate from us: what is sent next
	// begins with what AppendKeyUpdate appends.
	UpdateRequested bool
}

// Size returns how many bytes the record has that begins with these, its header
// included: 0 where they are too few to tell. The error is an Alert.
func Size(begin []byte) (int, error) {
	if len(begin) < headerSize {
		return 0, nil
	}
	if binary.BigEndian.Uint16(begin[1:]) != version {
		return 0, AlertProtocolVersion
	}
	n := int(binary.BigEndian.Uint16(begin[3:]))
	if n > maxCiphertext {
		return 0, AlertRecordOverflow
	}
	return headerSize + n, nil
}

// Open opens a whole record, in its place. The error is an Alert to answer with, or a
// RemoteAlert; the connection is over with either.
func (l *Layer) Open(record []byte) (Received, error) {
	kind, content, err := l.in.open(l.suite, record)
	switch {
	case err != nil:
		return Received{}, err
	case kind == typeData && len(content) > 0:
		l.useless = 0
	default:
		if l.useless++; l.useless > maxUseless {
			return Received{}, AlertUnexpectedMessage
		}
	}
	if kind != typeHandshake && l.messageSize > 0 {
		return Received{}, AlertUnexpectedMessage // handshake messages are not interleaved with others
	}
	switch kind {
	case typeData:
		return Received{Data: content}, nil
	case typeAlert:
		return l.alert(content)
	case typeHandshake:
		return l.handshake(content)
	}
	return Received{}, AlertUnexpectedMessage
}

// alert is given what an alert record holds.
func (l *Layer) alert(content []byte) (Received, error) {
	if len(content) != 2 {
		return Received{}, AlertUnexpectedMessage
	}
	switch a := Alert(content[1]); a {
	case AlertCloseNotify:
		return Received{Closed: true}, nil
	case alertUserCanceled: // a warning, the only one of TLS 1.3; close_notify follows
		return Received{}, nil
	default:
		return Received{}, RemoteAlert(a)
	}
}

// KeyUpdate (RFC 8446, section 4.6.3) is the only handshake message that a client sends
// after its Finished, unless it is asked for a certificate.
const (
	keyUpdateType   = 24
	keyUpdateSize   = 5 // the type, three bytes of length, and whether one is wanted in turn
	updateNotWanted = 0
	updateWanted    = 1
)

// handshake is given what a handshake record holds, which may be a part of a message.
func (l *Layer) handshake(content []byte) (Received, error) {
	if len(content) == 0 {
		return Received{}, AlertUnexpectedMessage
	}
	n := copy(l.message[l.messageSize:], content)
	l.messageSize += uint8(n)
	begin := l.message[:l.messageSize]
	for i, want := range [...]byte{0, 0, 1} { // its length
		if at := 1 + i; at < len(begin) && begin[at] != want && begin[0] == keyUpdateType {
			return Received{}, AlertDecodeError
		}
	}
	switch {
	case begin[0] != keyUpdateType:
		return Received{}, AlertUnexpectedMessage
	case len(begin) < keyUpdateSize:
		return Received{}, nil
	case n < len(content): // the next message would be under other keys
		return Received{}, AlertUnexpectedMessage
	case begin[4] != updateNotWanted && begin[4] != updateWanted:
		return Received{}, AlertIllegalParameter
	}
	l.messageSize = 0
	l.in.update(l.suite)
	return Received{UpdateRequested: begin[4] == updateWanted}, nil
}

// AppendData appends records with application data, and returns the extended slice. Empty
// data makes no record.
func (l *Layer) AppendData(dst, data []byte) []byte {
	for len(data) > 0 {
		if l.out.sequence >= rekeyAfter {
			dst = l.AppendKeyUpdate(dst)
		}
		part := data[:min(len(data), maxPlaintext)]
		data = data[len(part):]
		dst = l.out.seal(l.suite, dst, typeData, part)
	}
	return dst
}

// Overhead returns how many bytes more than the data itself AppendData appends for it.
func Overhead(data int) int {
	return (data + maxPlaintext - 1) / maxPlaintext * (headerSize + overhead)
}

// MaxSealed returns how many bytes AppendData appends at most for data of a size, and more than any other
// record takes that is appended.
func MaxSealed(data int) int { return data + Overhead(data) + headerSize + overhead + keyUpdateSize }

// AppendKeyUpdate appends a record that says that what follows is under new keys, and
// changes to those. It asks for none in turn.
func (l *Layer) AppendKeyUpdate(dst []byte) []byte {
	dst = l.out.seal(l.suite, dst, typeHandshake, []byte{keyUpdateType, 0, 0, 1, updateNotWanted})
	l.out.update(l.suite)
	return dst
}

// AppendAlert appends an alert. Nothing is sent after any.
func (l *Layer) AppendAlert(dst []byte, a Alert) []byte {
	level := byte(2) // fatal
	if a == AlertCloseNotify {
		level = 1
	}
	return l.out.seal(l.suite, dst, typeAlert, []byte{level, byte(a)})
}

// Busy reports whether there are keys that Rest gives back.
func (l *Layer) Busy() bool { return l.in.keys != nil || l.out.keys != nil }

// Rest gives back the memory for keys until they are needed again.
func (l *Layer) Rest() { l.in.keys, l.out.keys = nil, nil }

// Forget overwrites the secrets. The layer is not used afterwards.
func (l *Layer) Forget() { *l = Layer{} }

// Format prints nothing of what a layer has.
func (l Layer) Format(s fmt.State, _ rune) { fmt.Fprint(s, "tlsrecord.Layer") }
