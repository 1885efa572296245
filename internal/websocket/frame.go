package websocket

import "encoding/binary"

// Opcodes of RFC 6455, section 5.2, besides the two of data messages.
const (
	opContinuation = 0x0
	opText         = byte(Text)
	opBinary       = byte(Binary)
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const (
	finBit     = 0x80
	rsvBits    = 0x70
	maskBit    = 0x80
	maxHeader  = 14 // of a client's frame: 2, 8 of length, 4 of mask
	maxControl = 125
)

// isControl reports whether an opcode is one of a control frame, known or not.
func isControl(op byte) bool { return op >= opClose }

// appendHeader appends the header of an unfragmented, unmasked frame.
func appendHeader(dst []byte, op byte, length int) []byte {
	dst = append(dst, finBit|op)
	switch {
	case length <= maxControl:
		return append(dst, byte(length))
	case length <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
}

// headerSize is the number of bytes that appendHeader appends.
func headerSize(length int) int {
	switch {
	case length <= maxControl:
		return 2
	case length <= 0xFFFF:
		return 4
	}
	return 10
}

// clientHeaderSize is the length of a masked frame's header, told by the low
// seven bits of its second byte.
func clientHeaderSize(second byte) int {
	switch second &^ maskBit {
	case 126:
		return 2 + 2 + 4
	case 127:
		return 2 + 8 + 4
	}
	return 2 + 4
}

// unmask applies the masking key to p, which begins at offset of its frame's
// payload.
func unmask(p []byte, key [4]byte, offset uint64) {
	var turned [8]byte
	for i := range turned {
		turned[i] = key[(offset+uint64(i))&3]
	}
	word := binary.LittleEndian.Uint64(turned[:])
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^word)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= turned[i]
	}
}
