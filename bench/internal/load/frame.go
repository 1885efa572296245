//go:build linux

package load

import (
	"encoding/binary"
	"fmt"
)

// Kinds of frames.
const (
	Text  = 0x1
	Close = 0x8
	Ping  = 0x9
	Pong  = 0xa
)

// ServerFrame is a whole frame of a server.
type ServerFrame struct {
	Opcode  byte
	Payload []byte
}

// CutFrame returns the first frame of what a server has sent, shorter than 64 KiB,
// and what follows it. As long as the frame is not whole, it is nil.
func CutFrame(data []byte) (f *ServerFrame, rest []byte, err error) {
	if len(data) < 2 {
		return nil, data, nil
	}
	head, length := 2, int(data[1])
	switch {
	case data[0]&0xf0 != 0x80 || length > 126:
		return nil, nil, fmt.Errorf("a frame that is no short one: % x", data[:2])
	case length == 126 && len(data) < 4:
		return nil, data, nil
	case length == 126:
		head, length = 4, int(binary.BigEndian.Uint16(data[2:]))
	}
	if len(data) < head+length {
		return nil, data, nil
	}
	return &ServerFrame{data[0] & 0x0f, data[head : head+length]}, data[head+length:], nil
}

// ClientFrame is a whole frame of a client, masked.
func ClientFrame(opcode byte, payload []byte) []byte {
	f := frame(payload, mask, true)
	f[0] = 0x80 | opcode
	return f
}
