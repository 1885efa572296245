package tlsrecord

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Tap is the connection between a tls.Conn and its socket until it is taken. It gives the
// tls.Conn one record at a time, so that none is read in part when it is taken. Like any
// net.Conn, it is safe for concurrent use.
type Tap struct {
	net.Conn
	secrets *Secrets
	unfit   atomic.Bool // it will not be taken

	reading sync.Mutex
	buffer  []byte // guarded by reading: read from the socket
	give    int    // guarded by reading: how many bytes of buffer the tls.Conn may have
	taking  bool   // guarded by reading: it gets nothing more

	mu      sync.Mutex // guards what follows; Secrets.mu is never taken with it
	random  [randomSize]byte
	entered bool  // Secrets knows the tap by random, which is the client's
	suite   suite // 0: not chosen yet
	in, out counter
}

// NetConn returns the connection that the tap was made of.
func (t *Tap) NetConn() net.Conn { return t.Conn }

// Read gives the tls.Conn a record, or a part of one if p is shorter.
func (t *Tap) Read(p []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	if t.taking {
		return 0, errNothing{}
	}
	if len(t.buffer) == 0 && t.unfit.Load() {
		return t.Conn.Read(p)
	}
	if t.give == 0 {
		if err := t.fillLocked(); err != nil {
			return 0, err
		}
		t.came(t.buffer[:t.give])
	}
	n := copy(p, t.buffer[:t.give])
	t.give -= n
	if t.buffer = t.buffer[n:]; len(t.buffer) == 0 {
		t.buffer = nil
	}
	return n, nil
}

// maxAwaited is the largest record that is awaited. No version of TLS allows a larger one: the
// tls.Conn refuses it by its header.
const maxAwaited = headerSize + maxPlaintext + 2048

// fillLocked reads until there is a whole record.
func (t *Tap) fillLocked() error {
	for {
		if len(t.buffer) >= headerSize {
			size := headerSize + int(binary.BigEndian.Uint16(t.buffer[3:]))
			if size > maxAwaited {
				size = headerSize
			}
			if len(t.buffer) >= size {
				t.give = size
				return nil
			}
		}
		if len(t.buffer) == cap(t.buffer) {
			t.buffer = append(make([]byte, 0, max(2*len(t.buffer), 2048)), t.buffer...)
		}
		n, err := t.Conn.Read(t.buffer[len(t.buffer):cap(t.buffer)])
		t.buffer = t.buffer[:len(t.buffer)+n]
		switch {
		case n > 0: // the error comes again
		case err == io.EOF && len(t.buffer) > 0: //nolint:errorlint // as readers give it
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// maxCounted is how many records of application data a client sends before its connection
// stays with crypto/tls: it is no WebSocket, and counting costs as much as reading.
const maxCounted = 16

// came is given each record that the tls.Conn gets.
func (t *Tap) came(record []byte) {
	if t.unfit.Load() {
		return
	}
	t.mu.Lock()
	if t.entered {
		kind, counted := t.in.count(t.suite, record)
		many := t.in.sequence > maxCounted
		t.mu.Unlock()
		if counted && kind != typeData || many { // after KeyUpdate or an alert the state of the tls.Conn is another
			t.forget()
		}
		return
	}
	t.random, t.entered = clientRandom(record)
	random, entered := t.random, t.entered
	t.mu.Unlock()
	if !entered || !t.secrets.enter(random, t) {
		t.unfit.Store(true)
	}
}

// clientRandom returns the client's random value, which the first record of a handshake
// has.
func clientRandom(record []byte) (random [randomSize]byte, found bool) {
	const (
		clientHello = 1
		randomAt    = headerSize + 4 + 2 // behind the message's header and the version
	)
	if len(record) < randomAt+randomSize || record[0] != typeHandshake || record[headerSize] != clientHello {
		return random, false
	}
	return [randomSize]byte(record[randomAt:]), true
}

// Write is given what the tls.Conn sends.
func (t *Tap) Write(p []byte) (int, error) {
	if !t.unfit.Load() {
		t.sent(p)
	}
	return t.Conn.Write(p)
}

// sent is given whole records.
func (t *Tap) sent(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p) > 0 {
		if len(p) < headerSize {
			t.unfit.Store(true)
			return
		}
		size := headerSize + int(binary.BigEndian.Uint16(p[3:]))
		if len(p) < size {
			t.unfit.Store(true)
			return
		}
		record := p[:size]
		p = p[size:]
		if record[0] == typeHandshake {
			t.suite = chosenSuite(record)
		} else if kind, counted := t.out.count(t.suite, record); counted && kind == typeAlert {
			t.unfit.Store(true)
		}
	}
}

// chosenSuite is the cipher suite that a record with a ServerHello says, 0 where it has
// none.
func chosenSuite(record []byte) suite {
	const (
		serverHello = 2
		sessionAt   = headerSize + 4 + 2 + randomSize // the length of the session's id
	)
	if len(record) <= sessionAt || record[headerSize] != serverHello {
		return 0
	}
	suiteAt := sessionAt + 1 + int(record[sessionAt])
	if len(record) < suiteAt+2 {
		return 0
	}
	return suite(binary.BigEndian.Uint16(record[suiteAt:]))
}

// Close closes the socket, and forgets the secrets.
func (t *Tap) Close() error {
	t.forget()
	return t.Conn.Close()
}

// forget ends the taking part in Secrets.
func (t *Tap) forget() {
	t.unfit.Store(true)
	t.mu.Lock()
	random, entered := t.random, t.entered
	t.in, t.out = counter{}, counter{}
	t.mu.Unlock()
	if entered {
		t.secrets.leave(random, t)
	}
}

// counter counts the records of a direction that are under the keys of application data.
type counter struct {
	half
	secretSize int // 0: the secret is not known yet
}

// count opens a copy of a record, and counts it where that is possible: handshakes begin
// under other keys. It returns the record's type.
func (c *counter) count(s suite, record []byte) (kind byte, counted bool) {
	if c.secretSize == 0 || !s.known() || c.secretSize != s.secretSize() || record[0] != typeData {
		return 0, false
	}
	if size, err := Size(record); err != nil || size != len(record) {
		return 0, false
	}
	kind, _, err := c.open(s, append([]byte(nil), record...))
	return kind, err == nil
}
