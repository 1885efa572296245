package websocket

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/netconn"
	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for something that must happen.
const patience = time.Minute

const (
	// driverSecure is the event loop, with TLS on all connections that adopt makes.
	driverSecure Driver = 100 + iota
	// driverCompact is the same, with the compact layer.
	driverCompact
)

// testSecrets are those of all handshakes whose connections get the compact layer.
var testSecrets tlsrecord.Secrets

// secures reports whether adopt makes connections with TLS.
func (d Driver) secures() bool { return d == driverSecure || d == driverCompact }

// forDrivers runs a test once for each driver, and on the event loop with TLS.
func forDrivers(t *testing.T, test func(t *testing.T, driver Driver)) {
	t.Helper()
	forPlainDrivers(t, test)
	forLayers(t, test)
}

// forLayers runs a test once for each layer that TLS has on the event loop.
func forLayers(t *testing.T, test func(t *testing.T, driver Driver)) {
	t.Helper()
	for name, driver := range map[string]Driver{"event loop with TLS": driverSecure, "event loop with compact TLS": driverCompact} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("the event loop is for Linux only")
			}
			t.Parallel()
			test(t, driver)
		})
	}
}

// forPlainDrivers runs a test once for each driver.
func forPlainDrivers(t *testing.T, test func(t *testing.T, driver Driver)) {
	t.Helper()
	t.Run("goroutine", func(t *testing.T) {
		t.Parallel()
		test(t, DriverGoroutine)
	})
	t.Run("event loop", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("the event loop is for Linux only")
		}
		t.Parallel()
		test(t, DriverEventLoop)
	})
}

// newEngine makes an engine that the end of the test shuts down.
func newEngine(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := startEngine(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, c := range e.table.all() {
			c.Abort()
		}
		if err := e.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
			return
		}
		e.checkIdle()
	})
	return e
}

// startEngine is NewEngine, for the drivers of tests as well.
func startEngine(o Options) (*Engine, error) {
	driver := o.Driver
	if driver.secures() {
		o.Driver = DriverEventLoop
	}
	e, err := NewEngine(o)
	if err == nil {
		e.options.Driver = driver // for adopt
	}
	return e, err
}

// socketPair is both ends of a TCP connection.
func socketPair(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close() })
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return dialled.(*net.TCPConn), accepted.(*net.TCPConn)
}

// switching is a listener whose connections can be redirected below TLS, as those of package dualport.
type switching struct{ net.Listener }

func (l switching) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return netconn.NewSwitch(conn), nil
}

// closing is what Handler.Closed was told.
type closing struct {
	Code   int
	Reason string
}

// recorder is a Handler that keeps what it is told. Where answer is set, it
// does what a message asks for.
type recorder struct {
	answer func(c *Conn, op Opcode, payload []byte)

	mu       sync.Mutex
	opened   int
	controls int
	messages []string // opcode digit and payload, in order of arrival
	closed   []closing
	changed  chan struct{} // closed at the next change
}

func (r *recorder) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *recorder) Opened(c *Conn) {
	r.change(func() { r.opened++ })
	c.checkInvariants()
}

func (r *recorder) Message(m *Message) {
	r.change(func() { r.messages = append(r.messages, string('0'+byte(m.Opcode()))+string(m.Payload())) })
	m.Conn().checkInvariants()
	if r.answer == nil {
		m.Done()
		return
	}
	go func() {
		c := m.Conn()
		r.answer(c, m.Opcode(), m.Payload())
		c.checkInvariants()
		m.Done()
		c.checkInvariants()
	}()
}

func (r *recorder) Control(c *Conn) {
	r.change(func() { r.controls++ })
	c.checkInvariants()
}

func (r *recorder) Closed(c *Conn, code int, reason string) {
	r.change(func() { r.closed = append(r.closed, closing{code, reason}) })
	c.checkInvariants()
}

// await waits until ok says so of the recorder, called with its lock held.
func (r *recorder) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		if ok() {
			r.mu.Unlock()
			return
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-timeout:
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Fatalf("no %s in time; there were: %d opened, messages %.300q, closed %v", what, r.opened, r.messages, r.closed)
		}
	}
}

// awaitClosed waits for Handler.Closed and checks what it was told.
func (r *recorder) awaitClosed(t testing.TB, code int, reason string) {
	t.Helper()
	r.await(t, "Closed", func() bool { return len(r.closed) > 0 })
	if got, want := r.closings()[0], (closing{code, reason}); got != want {
		t.Errorf("Closed with %v, want %v", got, want)
	}
}

// closings is what Closed was told so far.
func (r *recorder) closings() []closing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]closing(nil), r.closed...)
}

// awaitMessages waits for n messages and returns them.
func (r *recorder) awaitMessages(t testing.TB, n int) []string {
	t.Helper()
	r.await(t, "message", func() bool { return len(r.messages) >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.messages...)
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

// peer is a client's end of a connection, on the level of bytes.
type peer struct {
	t testing.TB
	net.Conn
	server *Conn // the other end; nil: unknown
}

// check checks the server's end.
func (p *peer) check() {
	if p.server != nil {
		p.server.checkInvariants()
	}
}

// adopt makes a connection in e without a handshake of HTTP.
func adopt(t testing.TB, e *Engine, h Handler, l *Limits) (*peer, *Conn) {
	t.Helper()
	return adoptSocket(t, e, Socket{Handler: h, Limits: l})
}

// adoptSocket is adopt for what stands in a Socket.
func adoptSocket(t testing.TB, e *Engine, s Socket) (*peer, *Conn) {
	t.Helper()
	client, server := connPair(t, e)
	c, err := e.Adopt(server, s)
	if err != nil {
		t.Fatal(err)
	}
	if e.options.Driver.secures() && c.fd < 0 {
		t.Fatal("a connection with TLS is not on the event loop")
	}
	return &peer{t, client, c}, c
}

// connPair is both ends of a connection for an engine, with TLS where that has it.
func connPair(t testing.TB, e *Engine) (client, server net.Conn) {
	t.Helper()
	near, far := socketPair(t)
	near.SetDeadline(time.Now().Add(patience))
	if e.options.Driver.secures() {
		return secured(t, e.options.Driver, near, far)
	}
	return near, far
}

// secured puts TLS on both ends of a connection, for a driver.
func secured(t testing.TB, d Driver, near net.Conn, far *net.TCPConn) (client, server *tls.Conn) {
	t.Helper()
	return handshake(t, near, below(d, far), &tls.Config{InsecureSkipVerify: true})
}

// below is the connection that a driver wants below TLS.
func below(d Driver, far *net.TCPConn) net.Conn {
	lead := netconn.NewSwitch(far)
	if d == driverCompact {
		return testSecrets.Tap(lead)
	}
	return lead
}

// handshake puts TLS above two ends.
func handshake(t testing.TB, near, far net.Conn, config *tls.Config) (client, server *tls.Conn) {
	t.Helper()
	client = tls.Client(near, config)
	own := &tls.Config{Certificates: []tls.Certificate{testCertificate()}}
	testSecrets.Config(own)
	server = tls.Server(far, own)
	shaken := make(chan error)
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(server.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	if _, tapped := far.(*tlsrecord.Tap); tapped { // which wants to have seen a request
		if _, err := client.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	return client, server
}

// testCertificate is one that nobody has signed.
var testCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// tcp is the socket of a peer.
func (p *peer) tcp() *net.TCPConn {
	for layer := range netconn.Layers(p.Conn) {
		switch conn := layer.(type) {
		case *net.TCPConn:
			return conn
		case dribble:
			return conn.Conn.(*net.TCPConn)
		case *collecting:
			return conn.Conn.(*net.TCPConn)
		case *recordLog:
			return conn.Conn.(*net.TCPConn)
		}
	}
	return nil
}

func (p *peer) send(parts ...[]byte) {
	p.t.Helper()
	if _, err := p.Write(bytes.Join(parts, nil)); err != nil {
		p.t.Fatalf("client write: %v", err)
	}
	p.check()
}

// frame reads one frame from the server.
func (p *peer) frame() (op byte, payload []byte) {
	p.t.Helper()
	op, payload, err := readFrame(p)
	if err != nil {
		p.t.Fatalf("client read: %v", err)
	}
	p.check()
	return op, payload
}

// expect reads one frame and checks it.
func (p *peer) expect(op byte, payload []byte) {
	p.t.Helper()
	gotOp, got := p.frame()
	if gotOp != op || !bytes.Equal(got, payload) {
		p.t.Fatalf("got frame %d %q, want %d %q", gotOp, got, op, payload)
	}
}

// expectEnd checks that the server hangs up and sends nothing before.
func (p *peer) expectEnd() {
	p.t.Helper()
	rest, err := io.ReadAll(p)
	if err != nil || len(rest) > 0 {
		p.t.Fatalf("got %q and %v, want the end of the stream", rest, err)
	}
	p.check()
}

func readFrame(r io.Reader) (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0xF0 != finBit || head[1]&maskBit != 0 {
		return 0, nil, errors.New("fragmented, masked or reserved")
	}
	length := int(head[1])
	if length > maxControl {
		extra := map[int]int{126: 2, 127: 8}[length]
		wide := make([]byte, 8)
		if _, err := io.ReadFull(r, wide[8-extra:]); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint64(wide))
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	return head[0] & 0x0F, payload, err
}

// clientFrame is a masked frame; first is its first byte whole.
func clientFrame(first byte, payload string) []byte {
	frame := appendHeader(nil, 0, len(payload))
	frame[0] = first
	frame[1] |= maskBit
	key := [4]byte{0x37, 0xFA, 0x21, 0x3D}
	frame = append(frame, key[:]...)
	start := len(frame)
	frame = append(frame, payload...)
	for i := range len(payload) {
		frame[start+i] ^= key[i%4]
	}
	return frame
}

func text(payload string) []byte { return clientFrame(finBit|opText, payload) }

// closeFrame is a client's close frame.
func closeFrame(code int, reason string) []byte {
	return clientFrame(finBit|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// closeBody is the payload of the close frame that the server sends.
func closeBody(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}
