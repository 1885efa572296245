package websocket

import (
	"errors"
	"io"
	"net"
)

// secure is the TLS of a connection on an event loop: what the loop has read from the socket goes through a layer, and what
// is sent goes through it into the connection's queue, so that writing never fails because a socket is full, and the queue
// holds what goes over the wire. Records that the layer writes on its own, alerts and answers to key updates, go the same
// way.
//
// The handshake is over before: a goroutine of the HTTP server has seen to it. Conn.mu guards all of it.
//
// It is the driver of its connection.
type secure struct {
	*loop  // which moves what is encrypted
	conn   *Conn
	layer  tlsLayer // nil when the socket is closed
	failed error    // why nothing more can be read: io.EOF after the peer's close_notify; nil: more may come
	broken bool     // nothing more can be written
}

// tlsLayer makes bytes of records, and records of bytes. There are two: standardLayer is crypto/tls, compactLayer is for
// connections of TLS 1.3 that are taken from it.
type tlsLayer interface {
	// open decrypts what was read from the socket, behind what it has kept, and returns how many bytes it wrote to plain.
	// It takes the whole of input, if plain has room for it and a record; more reports whether that was missing. What is
	// no whole record yet is kept, and may be told end: errDrained, or io.EOF where the socket has ended. The error says
	// why nothing more can be read.
	open(plain, input []byte, end error) (n int, more bool, err error)
	// seal queues bytes, encrypted. After an error nothing more can be sent.
	seal(p []byte) error
	// end queues the alert by which the peer knows that nothing more comes, once.
	end() error
	// sealedSize is about the size of the records for n bytes.
	sealedSize(n int) int
	// held is the memory of what it keeps, in bytes, as the budget counts it.
	held() int
	// close gives back what it has.
	close()
}

const (
	// secureRead is how much is read from the socket at a time. What it decrypts to fits the loop's buffer, together with
	// a record that began before.
	secureRead = 32 << 10
	// secureReadsPerTurn bounds the records of a turn, which may be as small as 23 bytes.
	secureReadsPerTurn = 2
	// maxRecord is the plaintext of the largest record.
	maxRecord = 16 << 10
)

// errDrained is what the layer is told when there is nothing more to read for now. It is a net.Error, since those that are
// temporary do not end the layer.
var errDrained net.Error = drained{}

type drained struct{}

func (drained) Error() string   { return "websocket: nothing more was read from the socket" }
func (drained) Timeout() bool   { return true }
func (drained) Temporary() bool { return true }

// openLocked decrypts what was read from the socket, see tlsLayer.
func (s *secure) openLocked(plain, input []byte, end error) (n int, more bool) {
	n, more, s.failed = s.layer.open(plain, input, end)
	if s.conn.out.head != nil {
		s.conn.flushLocked() // the layer has answered something
	}
	return n, more
}

// restLocked is what the layer has read before it was redirected, behind what was read from it.
func (s *secure) restLocked() (rest []byte) {
	b := newBuffer(secureRead)
	defer b.free()
	for {
		n, more := s.openLocked(b.data[:cap(b.data)], nil, errDrained)
		rest = append(rest, b.data[:n]...)
		if !more {
			return rest
		}
	}
}

// frameLocked queues one frame, encrypted.
func (s *secure) frameLocked(op byte, payload []byte) {
	header := headerSize(len(payload))
	first := payload[:min(len(payload), maxRecord-header)]
	s.conn.out.space(s.layer.sealedSize(header + len(payload))) // one buffer for all of its records
	b := newBuffer(header + len(first))
	b.data = append(appendHeader(b.data, op, len(payload)), first...)
	s.sealLocked(b.data)
	b.free()
	if rest := payload[len(first):]; len(rest) > 0 {
		s.sealLocked(rest)
	}
}

// sealLocked queues bytes, encrypted.
func (s *secure) sealLocked(p []byte) {
	if s.layer.seal(p) != nil {
		s.broken = true
	}
}

// endLocked queues the alert by which the peer knows that nothing more comes, once.
func (s *secure) endLocked() {
	if s.layer.end() != nil {
		s.broken = true
	}
}

// secure is the connection's TLS layer; nil: it has none, or none on an event loop.
func (c *Conn) secure() *secure {
	s, _ := c.driver.(*secure)
	return s
}

// endedLocked is why nothing more can be read; nil: more may come.
func (s *secure) endedLocked() error {
	if s == nil {
		return nil
	}
	return s.failed
}

// streamEnded is why nothing more can be read, though the socket may be open; nil: more may come.
func (c *Conn) streamEnded() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secure().endedLocked()
}

// heldLocked is the memory, in bytes, of what a layer keeps of records that are not whole.
func (s *secure) heldLocked() int {
	if s == nil || s.layer == nil {
		return 0
	}
	return s.layer.held()
}

// inOrder reports whether an end of reading is one that the peer has announced.
func inOrder(err error) bool { return errors.Is(err, io.EOF) }
