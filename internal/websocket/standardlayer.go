package websocket

import (
	"crypto/tls"
	"errors"
)

// standardLayer is crypto/tls, above the connection instead of a socket. What the loop has read from the socket is what the
// tls.Conn reads; when that is used up it is told of a temporary error, by which it keeps what is not a whole record yet, and
// goes on with the next read. What it writes goes into the connection's queue.
type standardLayer struct {
	conn    *Conn
	tls     *tls.Conn
	kept    recordBuffers
	input   []byte // what was read from the socket, and the tls.Conn has not taken; during open alone
	ending  error  // what it reads behind input
	opening bool   // during open
}

// newStandardLayer makes the layer of a connection. The handshake is over, and what the tls.Conn is above has it read and write here.
func newStandardLayer(c *Conn, conn *tls.Conn) *standardLayer {
	return &standardLayer{conn: c, tls: conn, kept: buffersOf(conn), ending: errDrained}
}

func (l *standardLayer) open(plain, input []byte, end error) (n int, more bool, err error) {
	l.input, l.ending, l.opening = input, end, true
	lent := l.kept.lend()
	for err == nil && n < len(plain) {
		var m int
		m, err = l.tls.Read(plain[n:])
		n += m
	}
	l.kept.takeBack(lent)
	more = err == nil
	if errors.Is(err, errDrained) {
		err = nil
	}
	l.input, l.ending, l.opening = nil, errDrained, false
	return n, more, err
}

// Read is called by the tls.Conn, for the next bytes of the socket.
func (l *standardLayer) Read(p []byte) (int, error) {
	if len(l.input) == 0 {
		return 0, l.ending
	}
	n := copy(p, l.input[:min(len(l.input), l.kept.wanted())])
	l.input = l.input[n:]
	return n, nil
}

// Write is called by the tls.Conn, with records. A peer that has much answered, but doesn't read the answers, gets none past
// the connection's limit, which ends writing.
func (l *standardLayer) Write(p []byte) (int, error) {
	if l.opening && !l.conn.answerFitsLocked(len(p)) {
		return 0, ErrQueueFull
	}
	l.conn.out.raw(p)
	return len(p), nil
}

func (l *standardLayer) seal(p []byte) error {
	_, err := l.tls.Write(p)
	return err
}

func (l *standardLayer) end() error { return l.tls.CloseWrite() }

// sealedSize takes into account that crypto/tls begins with small records.
func (l *standardLayer) sealedSize(n int) int {
	const overhead = 96 // what a record may be larger than what it holds
	records := 1
	if n > 1<<10 {
		records = 15 + n/maxRecord
	}
	return n + records*overhead
}

func (l *standardLayer) held() int { return l.kept.held() }

func (l *standardLayer) close() { l.tls, l.kept = nil, recordBuffers{} }
