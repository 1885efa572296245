//go:build linux

package load

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Socket is one connection, for answers that change. It is read by one
// goroutine.
type Socket struct {
	conn    net.Conn
	reader  *bufio.Reader
	writing sync.Mutex // held while a frame is written
}

// DialSocket opens a connection to a path of a host. Close must be called.
func DialSocket(host, path string) (*Socket, error) {
	conn, err := net.DialTimeout("tcp4", host, handshake*time.Second)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	s := &Socket{conn: conn, reader: bufio.NewReader(conn)}
	if err := s.shakeHands(host, path); err != nil {
		conn.Close()
		return nil, fmt.Errorf("connecting to %s: %w", path, err)
	}
	return s, nil
}

func (s *Socket) shakeHands(host, path string) error {
	if err := s.conn.SetDeadline(time.Now().Add(handshake * time.Second)); err != nil {
		return err
	}
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

// Ask sends a message and returns the answer.
func (s *Socket) Ask(message string) (string, error) {
	if err := s.Send(message); err != nil {
		return "", err
	}
	return s.Receive(handshake * time.Second)
}

// Send sends a text message. One goroutine may send while another receives.
func (s *Socket) Send(message string) error { return s.write(frame([]byte(message), mask, true)) }

// mask is the same for all frames: there is no proxy here that masking would
// protect.
var mask = [4]byte{1, 2, 3, 4}

func (s *Socket) write(b []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(handshake * time.Second)); err != nil {
		return err
	}
	_, err := s.conn.Write(b)
	return err
}

// CloseError is the error of a connection that the server has closed.
type CloseError struct{ Code int }

func (e CloseError) Error() string { return fmt.Sprintf("closed with %d", e.Code) }

// Receive returns the next text message, which must be shorter than 64 KiB,
// within a time. It answers pings and a close frame; for the latter the error
// is a CloseError.
func (s *Socket) Receive(within time.Duration) (string, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	for {
		op, payload, err := s.readFrame()
		if err != nil {
			return "", err
		}
		switch op {
		case 0x1:
			return string(payload), nil
		case 0x8:
			code := 1005
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			_ = s.control(0x8, payload) // the server may be gone
			return "", CloseError{code}
		case 0x9:
			if err := s.control(0xa, payload); err != nil {
				return "", err
			}
		case 0xa:
		default:
			return "", fmt.Errorf("a frame of the kind %#x", op)
		}
	}
}

// readFrame reads a whole frame, shorter than 64 KiB.
func (s *Socket) readFrame() (op byte, payload []byte, err error) {
	var head [4]byte
	if _, err := io.ReadFull(s.reader, head[:2]); err != nil {
		return 0, nil, err
	}
	length := int(head[1])
	if length == 126 {
		if _, err := io.ReadFull(s.reader, head[2:]); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint16(head[2:]))
	}
	if head[0]&0xf0 != 0x80 || length >= 127 && head[1] != 126 {
		return 0, nil, fmt.Errorf("a frame that is no short one: % x", head)
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(s.reader, payload)
	return head[0] & 0x0f, payload, err
}

// control sends a control frame.
func (s *Socket) control(op byte, payload []byte) error { return s.write(ClientFrame(op, payload)) }

// Leave sends a close frame with the code 1000.
func (s *Socket) Leave() error { return s.control(0x8, []byte{0x03, 0xe8}) }

// Close cuts the connection.
func (s *Socket) Close() { s.conn.Close() }
