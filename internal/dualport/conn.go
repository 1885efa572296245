package dualport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/netconn"
	"github.com/stagedoor/stagedoor/internal/pushserver"
	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

// recordTypeHandshake is the first byte of every TLS connection (RFC 8446,
// section 5.1). No HTTP method begins with it.
const recordTypeHandshake = 0x16

// Conn is a connection that is plain or TLS, which its first Read finds out.
// Until then it counts as plain. Like any net.Conn, it is safe for concurrent
// use.
type Conn struct {
	raw    net.Conn
	config *tls.Config // nil: always plain

	secure atomic.Pointer[tls.Conn] // set once, when the client speaks TLS

	first   sync.Mutex  // held by Read until it is decided and prefix is used up
	settled atomic.Bool // decided, and prefix is used up
	decided bool        // guarded by first
	prefix  []byte      // read before raw; guarded by first

	recorder atomic.Pointer[recorder] // nil: not recording

	scope   context.Context                 // of its requests
	pushes  atomic.Pointer[pushserver.Conn] // nil: no request was answered yet
	between bool                            // pushes may read next; of the goroutine that reads

	answerTime time.Duration // the time limit of an answer; 0: none. Set before the first write
	answer     atomic.Int32  // unlimited, awaited or begun
	answerBase time.Time     // of answerEnd, with a monotonic reading. Set with answerTime
	answerEnd  atomic.Int64  // the deadline of an answer that has begun, in nanoseconds since answerBase
}

// NewConn makes a Conn from a connection that was accepted elsewhere. prefix
// has the bytes that were already read from it, nil for none.
func NewConn(conn net.Conn, prefix []byte, config *tls.Config) *Conn {
	return newConn(conn, prefix, http1Only(config))
}

func newConn(conn net.Conn, prefix []byte, config *tls.Config) *Conn {
	return &Conn{raw: conn, prefix: prefix, config: config}
}

// IsTLS reports whether the client speaks TLS. It is known after the first
// Read.
func (c *Conn) IsTLS() bool { return c.secure.Load() != nil }

// NetConn returns the connection to use in place of c after it was hijacked:
// the accepted connection itself when it is plain, the *tls.Conn when it is
// TLS. That is one on a *netconn.Switch, with a *tlsrecord.Tap between them where the
// configuration has Secrets.
func (c *Conn) NetConn() net.Conn {
	if secure := c.secure.Load(); secure != nil {
		return secure
	}
	c.first.Lock()
	defer c.first.Unlock()
	if len(c.prefix) > 0 {
		return c
	}
	return c.raw
}

// Accepted returns the connection that c was made from, below TLS. It is for
// comparing connections, and must not be read or written.
func (c *Conn) Accepted() net.Conn { return c.raw }

func (c *Conn) connectionState() *tls.ConnectionState {
	secure := c.secure.Load()
	if secure == nil {
		return nil
	}
	state := secure.ConnectionState()
	return &state
}

func (c *Conn) Read(p []byte) (n int, err error) {
	switch secure := c.secure.Load(); {
	case secure != nil:
		n, err = secure.Read(p)
	case c.between:
		c.between = false
		n, err = c.pushes.Load().Serve(p)
	case c.settled.Load():
		n, err = c.raw.Read(p)
	default:
		n, err = c.firstRead(p)
	}
	if n > 0 {
		c.AwaitAnswer()
	}
	if recorder := c.recorder.Load(); recorder != nil && n > 0 {
		recorder.feed(p[:n])
	}
	return n, err
}

// firstRead finds out whether the connection is TLS, and reads until the prefix
// is used up. After an error, such as a deadline, the next Read goes on with
// that.
func (c *Conn) firstRead(p []byte) (int, error) {
	c.first.Lock()
	secure, n, err := c.decide(p)
	c.first.Unlock()
	if secure != nil {
		return secure.Read(p)
	}
	return n, err
}

// decide finds out whether the connection is TLS. first must be held. It
// returns the TLS connection, or for a plain one the bytes read.
func (c *Conn) decide(p []byte) (*tls.Conn, int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure, 0, nil
	}
	var n int
	if len(c.prefix) > 0 {
		n = copy(p, c.prefix)
		c.prefix = c.prefix[n:]
	} else {
		var err error
		if n, err = c.raw.Read(p); n == 0 {
			return nil, 0, err
		}
	}
	if n == 0 {
		return nil, 0, nil
	}
	if !c.decided && c.config != nil && p[0] == recordTypeHandshake {
		seen := append(append([]byte(nil), p[:n]...), c.prefix...)
		c.prefix = nil
		var below net.Conn = netconn.NewSwitch(&replay{Conn: c.raw, of: c, seen: seen})
		if secrets := tlsrecord.SecretsOf(c.config); secrets != nil {
			below = secrets.Tap(below)
		}
		secure := tls.Server(below, c.config)
		c.secure.Store(secure)
		return secure, 0, nil
	}
	c.decided = true
	if len(c.prefix) == 0 {
		c.prefix = nil
		c.settled.Store(true)
	}
	return nil, n, nil
}

func (c *Conn) Write(p []byte) (int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure.Write(p)
	}
	return c.writeRaw(p)
}

// Close closes the connection, with a TLS alert where it is TLS. While a request to
// @connections is being answered, the connection ends behind the answer.
func (c *Conn) Close() error {
	if pushes := c.pushes.Load(); pushes != nil && pushes.CloseLater() {
		return nil
	}
	return c.active().Close()
}

// CloseWrite tells the peer that nothing more will be written. For a connection
// that cannot do so the error is errors.ErrUnsupported.
func (c *Conn) CloseWrite() error {
	if half, ok := netconn.Find[interface{ CloseWrite() error }](c.active()); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

func (c *Conn) active() net.Conn {
	if secure := c.secure.Load(); secure != nil {
		return secure
	}
	return c.raw
}

func (c *Conn) LocalAddr() net.Addr                { return c.raw.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr               { return c.raw.RemoteAddr() }
func (c *Conn) SetDeadline(t time.Time) error      { return c.raw.SetDeadline(t) }
func (c *Conn) SetReadDeadline(t time.Time) error  { return c.raw.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }

// replay is the connection below TLS. It begins with the bytes by which TLS was
// recognised. Only the tls.Conn reads from it, in one goroutine at a time.
type replay struct {
	net.Conn
	of   *Conn
	seen []byte
}

// NetConn returns the connection that was accepted, if all bytes of the beginning were read, else r.
func (r *replay) NetConn() net.Conn {
	if len(r.seen) > 0 {
		return r
	}
	return r.Conn
}

func (r *replay) Write(p []byte) (int, error) { return r.of.writeRaw(p) }

func (r *replay) Read(p []byte) (int, error) {
	if len(r.seen) == 0 {
		r.seen = nil
		n, err := r.Conn.Read(p)
		if n > 0 {
			r.of.AwaitAnswer()
		}
		return n, err
	}
	n := copy(p, r.seen)
	r.seen = r.seen[n:]
	return n, nil
}
