package websocket

import (
	"errors"
	"io"
	"net"

	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

// compactLayer is the record layer of package tlsrecord, which takes little memory while a connection is idle.
type compactLayer struct {
	conn    *Conn
	records *tlsrecord.Layer
	ahead   []byte  // was decrypted before the layer was made; nil once it is read
	partial *buffer // the beginning of a record; nil: none
	ended   bool    // an alert is queued: nothing goes behind it
	rests   bool    // the loop will have the records rest
}

// errAlerted says that nothing can be sent behind an alert.
var errAlerted = errors.New("websocket: an alert has ended TLS")

// newCompactLayer makes the layer of a connection of what a tls.Conn has left.
func newCompactLayer(c *Conn, taken *tlsrecord.Taken) *compactLayer {
	l := &compactLayer{conn: c, records: taken.Layer, ahead: taken.Data}
	l.keep(taken.Rest)
	return l
}

func (l *compactLayer) open(plain, input []byte, end error) (n int, more bool, err error) {
	n = copy(plain, l.ahead)
	if l.ahead = l.ahead[n:]; len(l.ahead) == 0 {
		l.ahead = nil
	}
	more = l.ahead != nil
	if l.partial != nil {
		l.partial = l.partial.grow(len(input))
		l.partial.data = append(l.partial.data, input...)
		input = l.partial.data
	}
	rest := input
	for err == nil && !more {
		size, bad := tlsrecord.Size(rest)
		switch {
		case bad != nil:
			err = l.refuse(bad)
		case size == 0 || size > len(rest):
			l.keep(rest)
			l.mayRest()
			return n, false, l.atEnd(end)
		case size > len(plain)-n:
			more = true
		default:
			var m int
			m, err = l.openRecord(plain[n:], rest[:size:size])
			n, rest = n+m, rest[size:]
		}
	}
	l.keep(rest)
	l.mayRest()
	return n, more, err
}

// openRecord decrypts a record, and answers it where that is needed.
func (l *compactLayer) openRecord(plain, record []byte) (n int, err error) {
	received, err := l.records.Open(record)
	switch {
	case err != nil:
		return 0, l.refuse(err)
	case received.Closed:
		return 0, io.EOF
	case received.UpdateRequested && !l.ended:
		if !l.conn.answerFitsLocked(tlsrecord.MaxSealed(0)) {
			l.ended = true // a peer that has much answered, but doesn't read the answers
			return 0, ErrQueueFull
		}
		b := l.conn.out.space(tlsrecord.MaxSealed(0))
		b.data = l.records.AppendKeyUpdate(b.data)
	}
	return copy(plain, received.Data), nil
}

// refuse tells the peer why the connection is over, if it does not say so itself.
func (l *compactLayer) refuse(err error) error {
	var alert tlsrecord.Alert
	if errors.As(err, &alert) {
		l.alert(alert)
	}
	return err
}

// keep keeps the beginning of a record, which may be a part of what is kept.
func (l *compactLayer) keep(rest []byte) {
	if l.partial != nil && len(rest) == len(l.partial.data) {
		return
	}
	before := l.partial
	l.partial = nil
	if len(rest) > 0 {
		l.partial = newBuffer(len(rest))
		l.partial.data = append(l.partial.data, rest...)
	}
	before.free()
}

// atEnd is why nothing more can be read, where there is nothing more of the socket.
func (l *compactLayer) atEnd(end error) error {
	switch {
	case errors.Is(end, errDrained):
		return nil
	case errors.Is(end, io.EOF) && l.partial != nil:
		return io.ErrUnexpectedEOF
	}
	return end
}

func (l *compactLayer) seal(p []byte) error {
	if l.ended {
		return errAlerted
	}
	if len(p) == 0 {
		return nil
	}
	b := l.conn.out.space(l.sealedSize(len(p)))
	b.data = l.records.AppendData(b.data, p)
	l.mayRest()
	return nil
}

func (l *compactLayer) end() error {
	l.alert(tlsrecord.AlertCloseNotify)
	return nil
}

// alert queues an alert, unless there is one.
func (l *compactLayer) alert(a tlsrecord.Alert) {
	if l.ended {
		return
	}
	l.ended = true
	b := l.conn.out.space(tlsrecord.MaxSealed(0))
	b.data = l.records.AppendAlert(b.data, a)
}

func (l *compactLayer) sealedSize(n int) int { return tlsrecord.MaxSealed(n) }

func (l *compactLayer) held() int { return int(countedSize(l.partial)) + cap(l.ahead) }

func (l *compactLayer) close() {
	l.records.Forget()
	l.partial.free()
	l.partial, l.ahead = nil, nil
}

// mayRest has the loop see to it that the keys are given back when the connection is idle.
func (l *compactLayer) mayRest() {
	if l.rests || !l.records.Busy() {
		return
	}
	if l.rests = l.conn.looped().resting.add(l.conn); !l.rests {
		l.records.Rest()
	}
}

// redirected is where a connection leads that nothing is read from or written to any more.
type redirected struct{}

func (redirected) Read([]byte) (int, error)  { return 0, net.ErrClosed }
func (redirected) Write([]byte) (int, error) { return 0, net.ErrClosed }
