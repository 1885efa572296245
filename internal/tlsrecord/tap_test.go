package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// What is under way when a connection is taken gets lost in neither direction, and a client
// notices nothing: with and without resumption, with a certificate of the client, with
// data behind the request in the same record, in another, and in part.
func TestTake(t *testing.T) {
	t.Parallel()
	tests := map[string]func(p *port, client *tls.Config){
		"plain":              func(*port, *tls.Config) {},
		"client certificate": func(p *port, client *tls.Config) { p.config.ClientAuth = tls.RequireAnyClientCert },
		"no tickets":         func(p *port, _ *tls.Config) { p.config.SessionTicketsDisabled = true },
		"another curve, asked for twice": func(p *port, _ *tls.Config) {
			p.config.CurvePreferences = []tls.CurveID{tls.CurveP521}
		},
		"resumed": func(_ *port, client *tls.Config) { client.ClientSessionCache = tls.NewLRUClientSessionCache(1) },
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, config := newPort(), clientConfig()
			config.ServerName, config.Certificates = "localhost", []tls.Certificate{certificate()}
			prepare(p, config)
			for round := range 2 {
				s, client := p.connect(t, config)
				if _, err := io.WriteString(s.tls, "answer\n"); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(client, "in time\n"); err != nil {
					t.Fatal(err)
				}
				if round == 1 { // read, and not taken from the tls.Conn
					if _, err := io.ReadFull(s.tls, make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
				echo := s.take(t)
				if round == 1 && string(echo.data) != "n time\n" {
					t.Errorf("%q was handed over", echo.data)
				}
				go func() {
					_, _ = io.Copy(echo, echo)
					_, _ = s.socket.Write(echo.layer.AppendAlert(nil, AlertCloseNotify))
				}()
				if _, err := io.WriteString(client, strings.Repeat("more", 10_000)); err != nil {
					t.Fatal(err)
				}
				if err := client.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(client)
				want := "answer\n" + "in time\n"[round:] + strings.Repeat("more", 10_000)
				if err != nil || string(got) != want {
					t.Errorf("%.50q of %d bytes, %v; want %d", got, len(got), err, len(want))
				}
				if resumed := client.ConnectionState().DidResume; resumed != (name == "resumed" && round == 1) {
					t.Errorf("round %d, resumed: %v", round, resumed)
				}
			}
			if n := len(p.secrets.taps); n != 0 {
				t.Errorf("secrets of %d handshakes are kept", n)
			}
		})
	}
}

// A record that has come in part is handed over, and read on.
func TestTakeInTheMiddleOfARecord(t *testing.T) {
	t.Parallel()
	p := newPort()
	socket, other := sockets(t)
	pieces := &pieceWriter{Conn: other}
	client := tls.Client(pieces, clientConfig())
	go func() { _, _ = io.WriteString(client, "hello\n") }()
	s := p.serve(t, socket)
	pieces.hold.Store(true)
	if _, err := client.Write([]byte("abc")); err != nil { // one piece of it is on its way
		t.Fatal(err)
	}
	s.tap.reading.Lock()
	s.tap.buffer = make([]byte, 7)
	_, err := io.ReadFull(socket, s.tap.buffer) // as if it had come with the record before
	s.tap.reading.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	echo := s.take(t)
	if len(echo.raw) != 7 {
		t.Errorf("%d bytes of a record were handed over", len(echo.raw))
	}
	if err := pieces.release(); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(echo, got); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
}

// A connection that cannot be taken stays with crypto/tls, and goes on.
func TestUnfit(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T, p *port) (*server, *tls.Conn){
		"TLS 1.2": func(t *testing.T, p *port) (*server, *tls.Conn) {
			config := clientConfig()
			config.MaxVersion = tls.VersionTLS12
			return p.connect(t, config)
		},
		"no key log": func(t *testing.T, p *port) (*server, *tls.Conn) {
			p.config.KeyLogWriter = nil
			return p.connect(t, clientConfig())
		},
		"a copy of another's handshake": func(t *testing.T, p *port) (*server, *tls.Conn) {
			s, client := p.connect(t, clientConfig())
			copied, _ := sockets(t)
			tap := p.secrets.Tap(copied)
			tap.came(hello(s.tap.random))
			if !tap.unfit.Load() {
				t.Error("the copy could be taken")
			}
			return s, client
		},
	}
	for name, connect := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPort()
			s, client := connect(t, p)
			if _, err := s.tap.Take(s.tls); !errors.Is(err, ErrUnfit) {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(s.tls, s.tls) }()
			data := bytes.Repeat([]byte("data"), 10_000)
			go func() { _, _ = client.Write(data) }()
			got := make([]byte, len(data))
			if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if n := len(p.secrets.taps); n != 0 {
				t.Errorf("secrets of %d handshakes are kept", n)
			}
		})
	}
}

// Connections that end before they are taken leave nothing, and what is no handshake at
// all gets the answer of crypto/tls.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	p := newPort()
	s, _ := p.connect(t, clientConfig())
	if n := len(p.secrets.taps); n != 1 {
		t.Fatalf("%d handshakes are known", n)
	}
	s.tls.Close()
	for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "\x16\x03\x01\xff\xff" + strings.Repeat("a", 20_000), "\x16\x03"} {
		socket, client := sockets(t)
		if _, err := io.WriteString(client, garbage); err != nil {
			t.Fatal(err)
		}
		client.(interface{ CloseWrite() error }).CloseWrite()
		conn := tls.Server(p.secrets.Tap(socket), p.config)
		if err := conn.Handshake(); err == nil {
			t.Errorf("%.20q was taken for a handshake", garbage)
		}
		conn.Close()
	}
	if n := len(p.secrets.taps); n != 0 {
		t.Errorf("secrets of %d handshakes are kept", n)
	}
}

// hello is a ClientHello with a random value, as far as a tap looks at it.
func hello(random [randomSize]byte) []byte {
	return append(append([]byte{typeHandshake, 3, 3, 0, 38, 1, 0, 0, 34, 3, 3}, random[:]...), 0)
}

// A connection that is closed while its first record is looked at leaves nothing.
func TestClosedMeanwhile(t *testing.T) {
	t.Parallel()
	var secrets Secrets
	for n := range 2000 {
		near, _ := net.Pipe()
		tap := secrets.Tap(near)
		var both sync.WaitGroup
		both.Go(func() { tap.came(hello([randomSize]byte{byte(n), byte(n >> 8)})) })
		both.Go(func() { tap.Close() })
		both.Wait()
	}
	late := secrets.Tap(nil)
	late.unfit.Store(true)
	if secrets.enter([randomSize]byte{}, late) {
		t.Error("a tap entered that will not be taken")
	}
	if n := len(secrets.taps); n != 0 {
		t.Errorf("secrets of %d handshakes are kept", n)
	}
}

// A port has the secrets of no more than maxTaps handshakes; the others stay with crypto/tls, until there is room.
func TestManyHandshakes(t *testing.T) {
	t.Parallel()
	p := newPort()
	taps := make([]*Tap, maxTaps)
	for n := range taps {
		taps[n] = p.secrets.Tap(nil)
		taps[n].came(hello([randomSize]byte{byte(n), byte(n >> 8)}))
	}
	s, client := p.connect(t, clientConfig())
	if n := len(p.secrets.taps); n != maxTaps {
		t.Errorf("secrets of %d handshakes are kept", n)
	}
	if _, err := s.tap.Take(s.tls); !errors.Is(err, ErrUnfit) {
		t.Error(err)
	}
	go func() { _, _ = io.WriteString(s.tls, "still here") }()
	got := make([]byte, len("still here"))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "still here" {
		t.Errorf("%q, %v", got, err)
	}
	taps[0].forget()
	s, _ = p.connect(t, clientConfig())
	s.take(t)
}
