package forwarded

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// maxHeader is the largest PROXY header that is read. One of version 1 has at
// most 107 bytes; version 2 requires receivers to take at least 536.
const maxHeader = 4096

// errHeader means that a trusted proxy sent no PROXY header, or a wrong one.
var errHeader = errors.New("no valid PROXY protocol header")

// Listen wraps a listener that proxies in trusted networks connect to with the
// PROXY protocol, version 1 or 2. A connection from there must begin with its
// header within timeout. Then its RemoteAddr is the client's address, and its
// LocalAddr the address that the client dialled. With a header of the proxy's
// own connection (LOCAL, UNKNOWN) the addresses stay the proxy's.
//
// Other connections are not changed: a PROXY header on one of them is refused
// because it is not HTTP.
//
// Accept does not read. The header is read when the connection, or one of its
// addresses, is first used. That must be in the connection's own goroutine,
// because it waits for the proxy.
func Listen(inner net.Listener, trusted Networks, timeout time.Duration) net.Listener {
	return &listener{inner, trusted, timeout}
}

type listener struct {
	net.Listener
	trusted Networks
	timeout time.Duration
}

func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil || !l.trusted.ContainsPeer(accepted.RemoteAddr()) {
		return accepted, err
	}
	return &conn{Conn: accepted, timeout: l.timeout}, nil
}

// conn is a connection that begins with a PROXY header.
type conn struct {
	net.Conn
	timeout time.Duration

	once          sync.Once
	err           error // why the header is not valid; set by once
	remote, local net.Addr

	mu       sync.Mutex // guards what follows
	ready    bool       // the header was read
	rest     []byte     // read behind the header
	deadline time.Time  // for reading behind the header
}

// begin reads the header, once.
func (c *conn) begin() error {
	c.once.Do(func() {
		c.remote, c.local = c.Conn.RemoteAddr(), c.Conn.LocalAddr()
		if c.err = c.readHeader(); c.err != nil {
			_ = c.Conn.Close()
		}
	})
	return c.err
}

func (c *conn) readHeader() error {
	_ = c.Conn.SetReadDeadline(time.Now().Add(c.timeout))
	reader := bufio.NewReaderSize(&headerReader{conn: c.Conn}, 536)
	header, err := proxyproto.Read(reader)
	if err != nil {
		return fmt.Errorf("%w: %w", errHeader, err)
	}
	if header.Command.IsProxy() && header.TransportProtocol.IsStream() {
		source, isTCP := header.SourceAddr.(*net.TCPAddr)
		if !isTCP {
			return fmt.Errorf("%w: the source is not a TCP address", errHeader)
		}
		c.remote = source
		if header.DestinationAddr != nil {
			c.local = header.DestinationAddr
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	if n := reader.Buffered(); n > 0 {
		behind, _ := reader.Peek(n)
		c.rest = append([]byte(nil), behind...)
	}
	_ = c.Conn.SetReadDeadline(c.deadline)
	return nil
}

// Read reads the bytes behind the header.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if len(c.rest) > 0 {
		defer c.mu.Unlock()
		n := copy(p, c.rest)
		if c.rest = c.rest[n:]; len(c.rest) == 0 {
			c.rest = nil
		}
		return n, nil
	}
	c.mu.Unlock()
	return c.Conn.Read(p)
}

// Write writes to the peer. It returns an error if the header was not valid.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// RemoteAddr is the client's address.
func (c *conn) RemoteAddr() net.Addr {
	_ = c.begin()
	return c.remote
}

// LocalAddr is the address that the client dialled.
func (c *conn) LocalAddr() net.Addr {
	_ = c.begin()
	return c.local
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.Conn.SetWriteDeadline(t))
}

// SetReadDeadline sets the deadline of reads behind the header; the header has
// a deadline of its own.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if !c.ready {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// NetConn returns the connection that this one wraps if everything that was
// read behind the header was used, else this one.
func (c *conn) NetConn() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rest) > 0 {
		return c
	}
	return c.Conn
}

// headerReader reads a header of limited length. It returns a header of version
// 1 in one piece, as the parser requires.
type headerReader struct {
	conn  net.Conn
	begun bool
	total int
}

func (h *headerReader) Read(p []byte) (int, error) {
	if h.total >= maxHeader {
		return 0, errors.New("the header is too long")
	}
	n, err := h.conn.Read(p)
	for !h.begun && err == nil && unfinishedLine(p[:n]) && n < len(p) {
		var more int
		more, err = h.conn.Read(p[n:])
		n += more
	}
	h.begun = true
	h.total += n
	return n, err
}

// unfinishedLine reports whether a text is the beginning of a header of version
// 1, without its end.
func unfinishedLine(text []byte) bool {
	const longest = 107
	return len(text) < longest && bytes.HasPrefix(text, proxyproto.SIGV1[:1]) && !bytes.ContainsRune(text, '\n')
}
