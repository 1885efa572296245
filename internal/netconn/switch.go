package netconn

import (
	"io"
	"net"
	"time"
)

// Switch is the connection below a layer, such as TLS, that can't be told to use another: Redirect has all that the layer
// reads and writes go elsewhere, at a moment between two of its calls. Until then it is the connection that it wraps.
type Switch struct {
	conn net.Conn      // nil after Redirect
	to   io.ReadWriter // nil before it
}

// NewSwitch wraps a connection.
func NewSwitch(conn net.Conn) *Switch { return &Switch{conn: conn} }

// Redirect has reads and writes go to another place from now on, and returns the connection that was wrapped, which belongs
// to the caller. Deadlines and Close do nothing from then on, and there are no addresses. No other call may be under way,
// and there may be only one Redirect.
func (s *Switch) Redirect(to io.ReadWriter) net.Conn {
	conn := s.conn
	s.conn, s.to = nil, to
	return conn
}

// NetConn returns the connection that this one wraps, and itself after Redirect.
func (s *Switch) NetConn() net.Conn {
	if s.conn == nil {
		return s
	}
	return s.conn
}

func (s *Switch) Read(p []byte) (int, error) {
	if s.conn == nil {
		return s.to.Read(p)
	}
	return s.conn.Read(p)
}

func (s *Switch) Write(p []byte) (int, error) {
	if s.conn == nil {
		return s.to.Write(p)
	}
	return s.conn.Write(p)
}

// Close closes the connection that is wrapped.
func (s *Switch) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// LocalAddr is that of the connection that is wrapped; an empty one after Redirect.
func (s *Switch) LocalAddr() net.Addr {
	if s.conn == nil {
		return &net.TCPAddr{}
	}
	return s.conn.LocalAddr()
}

// RemoteAddr is that of the connection that is wrapped; an empty one after Redirect.
func (s *Switch) RemoteAddr() net.Addr {
	if s.conn == nil {
		return &net.TCPAddr{}
	}
	return s.conn.RemoteAddr()
}

// SetDeadline sets both deadlines.
func (s *Switch) SetDeadline(t time.Time) error {
	if s.conn == nil {
		return nil
	}
	return s.conn.SetDeadline(t)
}

// SetReadDeadline sets the deadline of reads.
func (s *Switch) SetReadDeadline(t time.Time) error {
	if s.conn == nil {
		return nil
	}
	return s.conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the deadline of writes.
func (s *Switch) SetWriteDeadline(t time.Time) error {
	if s.conn == nil {
		return nil
	}
	return s.conn.SetWriteDeadline(t)
}
