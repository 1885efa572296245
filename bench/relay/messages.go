//go:build linux

package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"syscall"
)

var (
	headEnd       = []byte("\r\n\r\n")
	keyHeader     = []byte("\r\nSec-WebSocket-Key: ")
	lengthHeader  = []byte("\r\nContent-Length: ")
	statusOK      = []byte("HTTP/1.1 200 ")
	textFrame     = byte(0x81)
	maskedPayload = byte(0x80)
)

// handshake answers a client's request (RFC 6455, section 4.2.2).
func (l *loop) handshake(c *conn, data []byte) int {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return 0
	}
	key, found := header(data[:end+2], keyHeader)
	if !found {
		return -1
	}
	accept := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	l.send(c, []byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(accept[:])+"\r\n\r\n"))
	c.received = l.message
	return end + len(headEnd)
}

// header is the value of a header, given with what precedes it.
func header(head, name []byte) (value []byte, found bool) {
	_, value, found = bytes.Cut(head, name)
	value, _, _ = bytes.Cut(value, headEnd[:2])
	return value, found
}

// message takes a client's message, which must be one masked text frame.
func (l *loop) message(c *conn, data []byte) int {
	if len(data) < 2 {
		return 0
	}
	if data[0] != textFrame || data[1]&maskedPayload == 0 {
		return -1
	}
	start, length := 2, int(data[1]&^maskedPayload)
	switch {
	case length == 126 && len(data) >= 4:
		start, length = 4, int(binary.BigEndian.Uint16(data[2:]))
	case length == 127 && len(data) >= 10:
		start, length = 10, int(binary.BigEndian.Uint64(data[2:])&(1<<31-1))
	case length >= 126:
		return 0
	}
	end := start + 4 + length
	if len(data) < end {
		return 0
	}
	unmask(data[start+4:end], data[start:start+4])
	if l.backend == nil {
		l.reply(c, data[start+4:end])
	} else {
		l.call(c, data[start+4:end])
	}
	return end
}

// unmask does so eight bytes at a time.
func unmask(payload, key []byte) {
	word := uint64(binary.LittleEndian.Uint32(key))
	word |= word << 32
	for len(payload) >= 8 {
		binary.LittleEndian.PutUint64(payload, binary.LittleEndian.Uint64(payload)^word)
		payload = payload[8:]
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
}

// call sends a message to the backend, by a connection that has nothing to do or
// by a new one.
func (l *loop) call(client *conn, message []byte) {
	c := l.connection()
	if c == nil {
		l.close(client)
		return
	}
	c.client = client
	l.out = strconv.AppendInt(append(l.out[:0], l.backend.head...), int64(len(message)), 10)
	l.out = append(append(l.out, headEnd...), message...)
	l.send(c, l.out)
}

// connection is one to the backend, nil where the backend takes none.
func (l *loop) connection() *conn {
	for len(l.idle) > 0 {
		last := len(l.idle) - 1
		c := l.idle[last]
		l.idle = l.idle[:last]
		if !c.closed {
			return c
		}
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if syscall.Connect(fd, l.backend.address) != nil || syscall.SetNonblock(fd, true) != nil {
		_ = syscall.Close(fd)
		return nil
	}
	c := &conn{fd: fd, received: l.answer}
	l.add(c)
	return c
}

// answer takes the backend's, which must be a success with a Content-Length.
func (l *loop) answer(c *conn, data []byte) int {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return 0
	}
	value, _ := header(data[:end+2], lengthHeader)
	length, err := strconv.Atoi(string(value))
	if err != nil || c.client == nil || !bytes.HasPrefix(data, statusOK) {
		return -1
	}
	start := end + len(headEnd)
	if len(data) < start+length {
		return 0
	}
	if !c.client.closed {
		l.reply(c.client, data[start:start+length])
	}
	c.client = nil
	l.idle = append(l.idle, c)
	return start + length
}

// reply sends a client a message.
func (l *loop) reply(c *conn, message []byte) {
	l.out = append(l.out[:0], textFrame)
	switch n := len(message); {
	case n < 126:
		l.out = append(l.out, byte(n))
	case n < 1<<16:
		l.out = binary.BigEndian.AppendUint16(append(l.out, 126), uint16(n))
	default:
		l.out = binary.BigEndian.AppendUint64(append(l.out, 127), uint64(n))
	}
	l.out = append(l.out, message...)
	l.send(c, l.out)
}
