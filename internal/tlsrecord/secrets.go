package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"sync"
)

const randomSize = 32 // bytes of a client's random value, which names its handshake in the key log

// maxTaps is how many connections of a port can be taken at a time: from their first record until they are taken, have
// shown to be no WebSockets, or are closed. Each has keys for both directions meanwhile, some 3 KB. Further ones stay with
// crypto/tls. A listener with its default limits has half as many connections that are not WebSockets yet.
const maxTaps = 1 << 15

// Secrets has the traffic secrets of the handshakes that are under way on one port. The
// zero value is ready. It is safe for concurrent use.
type Secrets struct {
	mu   sync.Mutex
	taps map[[randomSize]byte]*Tap // guarded by mu; the taps remove themselves when they are taken or closed
}

// Config makes crypto/tls hand over the secrets of the handshakes that it makes with a
// configuration, which nobody uses yet. What GetConfigForClient of it returns needs
// this, too.
func (s *Secrets) Config(c *tls.Config) { c.KeyLogWriter = (*keyLog)(s) }

// SecretsOf returns the Secrets that get what a configuration makes, nil where there are
// none.
func SecretsOf(c *tls.Config) *Secrets {
	log, _ := c.KeyLogWriter.(*keyLog)
	return (*Secrets)(log)
}

// Format prints nothing of them.
func (s *Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, "tlsrecord.Secrets") }

// Tap returns the connection that the tls.Conn is to be made with.
func (s *Secrets) Tap(conn net.Conn) *Tap { return &Tap{Conn: conn, secrets: s} }

// enter has the secrets of a handshake go to a tap. It returns false where the tap was closed
// meanwhile, where there are too many, or where another handshake has the same random value,
// which is then a copy of it: neither can be taken.
func (s *Secrets) enter(random [randomSize]byte, t *Tap) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.taps[random]; other != nil {
		other.unfit.Store(true)
		return false
	}
	if t.unfit.Load() || len(s.taps) >= maxTaps { // forget makes a tap unfit before it leaves
		return false
	}
	if s.taps == nil {
		s.taps = make(map[[randomSize]byte]*Tap)
	}
	s.taps[random] = t
	return true
}

// leave ends that.
func (s *Secrets) leave(random [randomSize]byte, t *Tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taps[random] == t {
		delete(s.taps, random)
	}
}

// keyLog is Secrets as crypto/tls writes to it.
type keyLog Secrets

// Write is given a line of a key log: label, random value of the client, secret. It is
// called in the middle of the handshake, on its goroutine.
func (k *keyLog) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	var random [randomSize]byte
	if len(fields) != 3 || hex.DecodedLen(len(fields[1])) != randomSize || hex.DecodedLen(len(fields[2])) > maxSecret {
		return len(line), nil
	}
	if _, err := hex.Decode(random[:], fields[1]); err != nil {
		return len(line), nil //nolint:nilerr // a line that is not for us
	}
	s := (*Secrets)(k)
	s.mu.Lock()
	t := s.taps[random]
	s.mu.Unlock()
	if t == nil {
		return len(line), nil
	}
	switch string(fields[0]) {
	case "CLIENT_TRAFFIC_SECRET_0":
		t.learn(&t.in, fields[2])
	case "SERVER_TRAFFIC_SECRET_0":
		t.learn(&t.out, fields[2])
	}
	return len(line), nil
}

// learn is given a secret by the key log, in hexadecimal.
func (t *Tap) learn(c *counter, text []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, err := hex.Decode(c.secret[:], text)
	if err != nil || c.secretSize != 0 {
		t.unfit.Store(true)
		return
	}
	c.secretSize = n
}
