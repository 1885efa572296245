package websocket

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
)

// secure is the TLS layer of a connection on an event loop: crypto/tls, above the connection instead of a socket. What the
// loop has read from the socket is what the layer reads; when that is used up the layer is told of a temporary error, by
// which it keeps what is not a whole record yet, and goes on with the next read. What the layer writes goes into the
// connection's queue, so that writing never fails because a socket is full, and the queue holds what goes over the wire.
// Records that the layer writes on its own, alerts and answers to key updates, go the same way.
//
// The handshake is over before: a goroutine of the HTTP server has seen to it. Conn.mu guards all of it.
//
// It is the driver of its connection.
type secure struct {
	*loop   // which moves what is encrypted
	conn    *Conn
	layer   *tls.Conn
	kept    recordBuffers
	input   []byte // what was read from the socket, and the layer has not taken; during openLocked alone
	end     error  // what the layer reads behind input
	opening bool   // during openLocked
	failed  error  // why nothing more can be read: io.EOF after the peer's close_notify; nil: more may come
	broken  bool   // nothing more can be written
}

const (
	// secureRead is how much is read from the socket at a time. What it decrypts to fits the loop's buffer, together with
	// a record that began before.
	secureRead = 32 << 10
	// secureReadsPerTurn bounds the records of a turn, which may be as small as 23 bytes.
	secureReadsPerTurn = 2
	// maxRecord is the plaintext of the largest record.
	maxRecord = 16 << 10
	// maxOverhead is what a record may be larger than its plaintext, with the ciphers of crypto/tls.
	maxOverhead = 96
)

// errDrained is what the layer is told when there is nothing more to read for now. It is a net.Error, since those that are
// temporary do not end the layer.
var errDrained net.Error = drained{}

type drained struct{}

func (drained) Error() string   { return "websocket: nothing more was read from the socket" }
func (drained) Timeout() bool   { return true }
func (drained) Temporary() bool { return true }

// newSecure makes the layer of a connection. The layer's handshake is over, and what it is above has been redirected here.
func newSecure(c *Conn, layer *tls.Conn) *secure {
	return &secure{conn: c, layer: layer, kept: buffersOf(layer), end: errDrained}
}

// openLocked decrypts what was read from the socket, in front of what the layer is told behind it: errDrained, or io.EOF
// where the socket has ended. It returns how many bytes it wrote to plain. The whole of input is taken, if plain has
// room for it and a record; more reports whether that was missing.
func (s *secure) openLocked(plain, input []byte, end error) (n int, more bool) {
	s.input, s.end, s.opening = input, end, true
	lent := s.kept.lend()
	for s.failed == nil && n < len(plain) {
		m, err := s.layer.Read(plain[n:])
		n += m
		if errors.Is(err, errDrained) {
			break
		}
		s.failed = err
	}
	s.kept.takeBack(lent)
	more = s.failed == nil && n == len(plain)
	s.input, s.end, s.opening = nil, errDrained, false
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

// Read is called by the layer, for the next bytes of the socket.
func (s *secure) Read(p []byte) (int, error) {
	if len(s.input) == 0 {
		return 0, s.end
	}
	n := copy(p, s.input[:min(len(s.input), s.kept.wanted())])
	s.input = s.input[n:]
	return n, nil
}

// Write is called by the layer, with records. A peer that has much answered, but doesn't read the answers, gets none past
// the connection's limit, which ends writing.
func (s *secure) Write(p []byte) (int, error) {
	if s.opening && s.conn.out.head != nil && int(s.conn.out.held)+s.conn.out.growth(len(p)) > s.conn.queueLimit() {
		return 0, ErrQueueFull
	}
	s.conn.out.raw(p)
	return len(p), nil
}

// frameLocked queues one frame, encrypted.
func (s *secure) frameLocked(op byte, payload []byte) {
	header := headerSize(len(payload))
	first := payload[:min(len(payload), maxRecord-header)]
	s.conn.out.space(sealedSize(header + len(payload))) // one buffer for all of its records
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
	if _, err := s.layer.Write(p); err != nil {
		s.broken = true
	}
}

// endLocked queues the alert by which the peer knows that nothing more comes, once.
func (s *secure) endLocked() {
	if s.layer.CloseWrite() != nil {
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

// sealedSize is about the size of the records for n bytes: crypto/tls begins with small ones.
func sealedSize(n int) int {
	records := 1
	if n > 1<<10 {
		records = 15 + n/maxRecord
	}
	return n + records*maxOverhead
}

// inOrder reports whether an end of reading is one that the peer has announced.
func inOrder(err error) bool { return errors.Is(err, io.EOF) }
