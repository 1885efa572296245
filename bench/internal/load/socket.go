//go:build linux

package load

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Socket is one connection, for answers that change. It is used by one
// goroutine.
type Socket struct {
	conn   net.Conn
	reader *bufio.Reader
}

// DialSocket opens a connection to a path of a host. Close must be called.
func DialSocket(host, path string) (*Socket, error) {
	conn, err := net.DialTimeout("tcp4", host, handshake*time.Second)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	s := &Socket{conn, bufio.NewReader(conn)}
	if err := s.shakeHands(host, path); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connecting to %s: %w", path, err)
	}
	return s, nil
}

func (s *Socket) shakeHands(host, path string) error {
	request, want := NewWebSocket(host, path, nil).Handshake()
	if _, err := io.WriteString(s.conn, request); err != nil {
		return err
	}
	status := ""
	for {
		line, err := s.reader.ReadString('\n')
		if err != nil {
			return err
		}
		if status == "" {
			status = line
		}
		if line == "\r\n" {
			break
		}
	}
	if !strings.HasPrefix(status, want) {
		return fmt.Errorf("the server answered %q", status)
	}
	return nil
}

// Ask sends a message and gives the answer, a text shorter than 64 KiB.
func (s *Socket) Ask(message string) (string, error) {
	if err := s.conn.SetDeadline(time.Now().Add(handshake * time.Second)); err != nil {
		return "", err
	}
	if _, err := s.conn.Write(frame([]byte(message), [4]byte{1, 2, 3, 4}, true)); err != nil {
		return "", err
	}
	var head [4]byte
	if _, err := io.ReadFull(s.reader, head[:2]); err != nil {
		return "", err
	}
	length := int(head[1])
	if length == 126 {
		if _, err := io.ReadFull(s.reader, head[2:]); err != nil {
			return "", err
		}
		length = int(binary.BigEndian.Uint16(head[2:]))
	}
	if head[0] != 0x81 || length == 127 {
		return "", fmt.Errorf("a frame that is no short text: % x", head)
	}
	text := make([]byte, length)
	_, err := io.ReadFull(s.reader, text)
	return string(text), err
}

// Close cuts the connection.
func (s *Socket) Close() { s.conn.Close() }
