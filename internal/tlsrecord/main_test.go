package tlsrecord

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// certificate is one that nobody trusts.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// port makes handshakes, as a server does.
type port struct {
	secrets Secrets
	config  *tls.Config
}

func newPort() *port {
	p := &port{config: &tls.Config{Certificates: []tls.Certificate{certificate()}}}
	p.secrets.Config(p.config)
	return p
}

const patience = 30 * time.Second

// sockets returns both ends of a TCP connection.
func sockets(t testing.TB) (server, client net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{server, client} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	return server, client
}

// clientConfig is that of a client that trusts everybody.
func clientConfig() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // a test
}

// server is a connection of a port, with the handshake done and one line read: what an
// HTTP server has when it hands over a connection.
type server struct {
	socket net.Conn
	tap    *Tap
	tls    *tls.Conn
}

// serve makes the handshake, and reads the client's first line.
func (p *port) serve(t testing.TB, socket net.Conn) *server {
	t.Helper()
	s := &server{socket: socket, tap: p.secrets.Tap(socket)}
	s.tls = tls.Server(s.tap, p.config)
	line := make([]byte, 1)
	for line[0] != '\n' {
		if _, err := io.ReadFull(s.tls, line); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// connect makes a connection of a port, and has the client send a line.
func (p *port) connect(t testing.TB, config *tls.Config) (*server, *tls.Conn) {
	t.Helper()
	socket, other := sockets(t)
	client := tls.Client(other, config)
	failed := make(chan error, 1)
	go func() {
		_, err := io.WriteString(client, "hello\n")
		failed <- err
	}()
	s := p.serve(t, socket)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	return s, client
}

// stream reads and writes a connection through a Layer, as a blocking server would.
type stream struct {
	socket net.Conn
	layer  *Layer
	data   []byte // opened, not read
	raw    []byte // of the socket, not opened
}

// take ends the use of crypto/tls.
func (s *server) take(t testing.TB) *stream {
	t.Helper()
	taken, err := s.tap.Take(s.tls)
	if err != nil {
		t.Fatal(err)
	}
	return &stream{s.socket, taken.Layer, taken.Data, taken.Rest}
}

func (s *stream) Write(p []byte) (int, error) {
	if _, err := s.socket.Write(s.layer.AppendData(nil, p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Read answers what has to be answered as well.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.data) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// next opens a record.
func (s *stream) next() error {
	for {
		size, err := Size(s.raw)
		if err != nil {
			return s.refuse(err)
		}
		if size == 0 || len(s.raw) < size {
			more := make([]byte, 4096)
			n, err := s.socket.Read(more)
			if err != nil {
				return err
			}
			s.raw = append(s.raw, more[:n]...)
			continue
		}
		received, err := s.layer.Open(s.raw[:size:size])
		s.raw = s.raw[size:]
		if err != nil {
			return s.refuse(err)
		}
		if received.Closed {
			return io.EOF
		}
		if received.UpdateRequested {
			if _, err := s.socket.Write(s.layer.AppendKeyUpdate(nil)); err != nil {
				return err
			}
		}
		s.data = received.Data
		return nil
	}
}

// refuse tells the peer why the connection is over.
func (s *stream) refuse(err error) error {
	if a, ours := err.(Alert); ours {
		_, _ = s.socket.Write(s.layer.AppendAlert(nil, a))
	}
	return err
}

// pieceWriter can hold back the end of what is written.
type pieceWriter struct {
	net.Conn
	hold atomic.Bool
	held []byte
}

func (w *pieceWriter) Write(p []byte) (int, error) {
	if !w.hold.Load() {
		return w.Conn.Write(p)
	}
	w.held = append([]byte(nil), p[7:]...)
	if _, err := w.Conn.Write(p[:7]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// release writes what was held back.
func (w *pieceWriter) release() error {
	_, err := w.Conn.Write(w.held)
	return err
}
