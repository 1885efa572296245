// Package autobahn has the cases of the Autobahn|Testsuite for servers,
// sections 1 to 7, 9 and 10, rewritten in Go: what a client sends, and what a
// server that echoes messages must answer. The suite itself needs a version of
// Python that is not supported any more. Its outcome "non-strict" is a failure
// here.
//
// The tests of the WebSocket engine and of the gateway run the cases.
package autobahn

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

const fin = 0x80

// Close codes that servers answer with.
const (
	normal         = 1000
	protocolError  = 1002
	unsupported    = 1003
	invalidPayload = 1007
)

// frame is what a server sends: control frames, and messages in one frame.
type frame struct {
	op      byte
	payload []byte
}

// Case is one case. The zero value sends nothing, closes the connection, and
// expects the close to be answered.
type Case struct {
	// ID is the number in the suite, such as 5.19.
	ID string
	// Binary is set if it sends binary messages.
	Binary bool
	// Largest is the size of the largest message in it.
	Largest int

	build  func() Case // makes sends and want of a large case; nil: they are set
	sends  []send
	want   []frame
	rounds int // how often sends and want are repeated; 0: once
	// closed is the code of the server's close frame, 1005 for a frame without
	// one. 0: the client closes after it has received all frames that it wants.
	closed int
}

// send is bytes that a client writes, in pieces of a size unless that is 0.
type send struct {
	bytes []byte
	piece int
}

// WithoutBinary returns the case as it is for a server that refuses binary
// messages.
func (c Case) WithoutBinary() Case {
	if c.Binary {
		build := c.build
		c.want, c.closed, c.rounds = nil, unsupported, 1
		if build != nil {
			c.build = func() Case { return Case{sends: build().sends} }
		}
	}
	return c
}

// Run plays the client on a connection whose handshake is done. The error says
// what the server did wrong.
func (c Case) Run(conn net.Conn, reader *bufio.Reader) error {
	if c.build != nil {
		built := c.build()
		c.sends, c.want = built.sends, built.want
	}
	for range max(1, c.rounds) {
		written := make(chan error, 1)
		go func() { written <- c.write(conn) }()
		err := c.read(reader)
		if err != nil {
			conn.Close()
		}
		if failed := <-written; err == nil && c.closed == 0 {
			err = failed // otherwise the server need not have read everything
		}
		if err != nil {
			return err
		}
	}
	code := c.closed
	if code == 0 {
		code = normal
		if _, err := conn.Write(closing(normal, "")); err != nil {
			return err
		}
	}
	return end(reader, code)
}

func (c Case) write(conn net.Conn) error {
	for _, s := range c.sends {
		for rest := s.bytes; len(rest) > 0; {
			piece := rest
			if s.piece > 0 && s.piece < len(rest) {
				piece = rest[:s.piece]
			}
			if _, err := conn.Write(piece); err != nil {
				return err
			}
			rest = rest[len(piece):]
		}
	}
	return nil
}

// read reads what is wanted.
func (c Case) read(reader *bufio.Reader) error {
	for n, want := range c.want {
		got, err := readFrame(reader)
		if err != nil {
			return fmt.Errorf("frame %d of %d: %w", n+1, len(c.want), err)
		}
		if got.op != want.op || !bytes.Equal(got.payload, want.payload) {
			return fmt.Errorf("frame %d of %d is %s, want %s", n+1, len(c.want), got, want)
		}
	}
	return nil
}

// end reads the server's close frame, and the end of the stream.
func end(reader *bufio.Reader, code int) error {
	got, err := readFrame(reader)
	if err != nil {
		return fmt.Errorf("close frame: %w", err)
	}
	told := 1005
	if len(got.payload) >= 2 {
		told = int(binary.BigEndian.Uint16(got.payload))
	}
	if got.op != opClose || told != code {
		return fmt.Errorf("%s, want a close frame with %d", got, code)
	}
	if rest, err := io.ReadAll(reader); len(rest) > 0 {
		return fmt.Errorf("%d bytes behind the close frame, %w", len(rest), err)
	}
	return nil
}

func (f frame) String() string {
	return fmt.Sprintf("opcode %d with %d bytes %.60q", f.op, len(f.payload), f.payload)
}

func readFrame(r io.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	if head[0]&0x70 != 0 || head[0]&fin == 0 || head[1]&0x80 != 0 {
		return frame{}, errors.New("a fragment, a reserved bit or a mask")
	}
	length := uint64(head[1])
	if length >= 126 {
		wide := make([]byte, 8)
		if _, err := io.ReadFull(r, wide[8-map[uint64]int{126: 2, 127: 8}[length]:]); err != nil {
			return frame{}, err
		}
		length = binary.BigEndian.Uint64(wide)
	}
	if length > 32<<20 {
		return frame{}, fmt.Errorf("a frame of %d bytes", length)
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(r, payload)
	return frame{head[0] & 0x0F, payload}, err
}

// bytesOf returns a client's frame. first is its whole first byte.
func bytesOf(first byte, payload []byte) []byte {
	f := []byte{first, 0x80}
	switch n := len(payload); {
	case n < 126:
		f[1] |= byte(n)
	case n < 1<<16:
		f[1] |= 126
		f = binary.BigEndian.AppendUint16(f, uint16(n))
	default:
		f[1] |= 127
		f = binary.BigEndian.AppendUint64(f, uint64(n))
	}
	mask := []byte{0x37, 0xFA, 0x21, 0x3D}
	f = append(f, mask...)
	start := len(f)
	f = append(f, payload...)
	for i := range payload {
		f[start+i] ^= mask[i&3]
	}
	return f
}

// closing is a client's close frame.
func closing(code int, reason string) []byte {
	return bytesOf(fin|opClose, append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...))
}
