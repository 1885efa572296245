package tlsrecord

import (
	"crypto/tls"
	"errors"
	"net"
)

// ErrUnfit says that a connection cannot be taken from its tls.Conn, which goes on
// with it.
var ErrUnfit = errors.New("tlsrecord: the connection stays with crypto/tls")

// Taken is what a tls.Conn had when it was taken.
type Taken struct {
	Layer *Layer
	Data  []byte // application data that was received, and not read
	Rest  []byte // bytes of the socket that no record was made of
}

// Take ends the use of the tls.Conn that was made with the tap, and returns its state. The
// caller goes on with the connection that the tap was made of. Nobody uses the tls.Conn
// meanwhile and afterwards.
//
// The error is ErrUnfit where the connection is not one of TLS 1.3, where its handshake
// is not done, or where something unusual was on it: keys that were changed already, or
// another handshake with the same random value. Otherwise it is that of the connection,
// which is over; the tls.Conn tells of it again.
func (t *Tap) Take(conn *tls.Conn) (*Taken, error) {
	state := conn.ConnectionState()
	if !state.HandshakeComplete || state.Version != tls.VersionTLS13 || !t.fits(suite(state.CipherSuite)) {
		t.forget()
		return nil, ErrUnfit
	}
	taken := &Taken{}
	var err error
	if taken.Data, err = t.drain(conn); err != nil {
		t.forget()
		t.stop(false)
		return nil, err
	}
	t.reading.Lock()
	taken.Rest, t.buffer = t.buffer, nil
	t.reading.Unlock()
	t.mu.Lock()
	taken.Layer = &Layer{suite: t.suite, in: t.in.half, out: t.out.half}
	t.mu.Unlock()
	t.forget()
	return taken, nil
}

// fits reports whether all that a Layer needs is known.
func (t *Tap) fits(chosen suite) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.unfit.Load() && chosen.known() && chosen == t.suite &&
		t.in.secretSize == chosen.secretSize() && t.out.secretSize == chosen.secretSize() &&
		t.in.sequence > 0 // the request has shown that the secrets are this connection's
}

// stop has the tls.Conn get nothing more, or go on.
func (t *Tap) stop(taking bool) {
	t.reading.Lock()
	defer t.reading.Unlock()
	t.taking = taking
}

// drain reads what the tls.Conn has received, and nothing more.
func (t *Tap) drain(conn *tls.Conn) (data []byte, err error) {
	t.stop(true) // between records: a tls.Conn never returns in the middle of one
	part := make([]byte, 1024)
	for {
		n, err := conn.Read(part)
		data = append(data, part[:n]...)
		if errors.Is(err, errNothing{}) {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// errNothing is what the tls.Conn gets when it is taken. It is a net.Error that is
// temporary, so that the tls.Conn does not answer it with an alert.
type errNothing struct{}

func (errNothing) Error() string   { return "tlsrecord: taken" }
func (errNothing) Timeout() bool   { return false }
func (errNothing) Temporary() bool { return true }

var _ net.Error = errNothing{}
