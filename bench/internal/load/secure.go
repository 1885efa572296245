//go:build linux

package load

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"
)

// Secure are open connections over TLS. They take more of this process than Connections.
type Secure struct {
	protocol Protocol
	conns    []*tls.Conn
}

// OpenSecure opens connections over TLS and makes their handshakes, a few at a time.
func OpenSecure(address string, config *tls.Config, p Protocol, count int) (*Secure, error) {
	s := &Secure{protocol: p, conns: make([]*tls.Conn, count)}
	err := each(count, func(i int) (err error) {
		source := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%sources))}
		dialer := &tls.Dialer{NetDialer: &net.Dialer{LocalAddr: source, Timeout: handshake * time.Second}, Config: config}
		conn, err := dialer.Dial("tcp4", address)
		if err != nil {
			return err
		}
		s.conns[i] = conn.(*tls.Conn)
		return s.shakeHands(s.conns[i])
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Secure) shakeHands(conn net.Conn) error {
	request, want := s.protocol.Handshake()
	if _, err := io.WriteString(conn, request); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return s.readUntil(conn, accepted(want))
}

// Exchange sends one message on every connection and waits for its reply.
func (s *Secure) Exchange() error {
	return each(len(s.conns), func(i int) error {
		if _, err := s.conns[i].Write(s.protocol.Request()); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		return s.readUntil(s.conns[i], func(data []byte) (bool, error) {
			n, err := s.protocol.Reply(data)
			return n > 0, err
		})
	})
}

func (s *Secure) readUntil(conn net.Conn, done func([]byte) (bool, error)) error {
	_ = conn.SetReadDeadline(time.Now().Add(handshake * time.Second)) // never fails on an open connection
	var data []byte
	buffer := make([]byte, 4096)
	for {
		n, err := conn.Read(buffer)
		data = append(data, buffer[:n]...)
		if complete, bad := done(data); complete || bad != nil {
			return bad
		}
		if err != nil {
			return fmt.Errorf("receiving after %q: %w", data, err)
		}
	}
}

// Close closes the connections without close frames.
func (s *Secure) Close() {
	for _, conn := range s.conns {
		if conn != nil {
			_ = conn.NetConn().Close()
		}
	}
	s.conns = nil
}
