package websocket

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// adoptSecure makes a connection with TLS on the event loop, whose client writes to what wrap returns, and has a version of
// TLS at most. Where version is 0, that is the newest.
func adoptSecure(t testing.TB, e *Engine, s Socket, version uint16, wrap func(net.Conn) net.Conn) (p *peer, client *tls.Conn) {
	t.Helper()
	near, far := socketPair(t)
	near.SetDeadline(time.Now().Add(patience))
	client, server := handshake(t, wrap(near), below(e.options.Driver, far), &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
	c, err := e.Adopt(server, s)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t, client, c}, client
}

// dribble writes bytes one at a time.
type dribble struct{ net.Conn }

func (d dribble) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		_, err = d.Conn.Write(p[n : n+1])
		n++
	}
	return n, err
}

// collecting keeps what is written until release.
type collecting struct {
	net.Conn
	on   bool
	kept []byte
}

func (c *collecting) Write(p []byte) (int, error) {
	if !c.on {
		return c.Conn.Write(p)
	}
	c.kept = append(c.kept, p...)
	return len(p), nil
}

// recordLog keeps the types of the records that are read.
type recordLog struct {
	net.Conn
	mu   sync.Mutex
	read []byte
}

func (l *recordLog) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = append(l.read, p[:n]...)
	return n, err
}

func (l *recordLog) types() (types []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for rest := l.read; len(rest) >= recordHeader; {
		types = append(types, rest[0])
		rest = rest[min(len(rest), recordHeader+int(binary.BigEndian.Uint16(rest[3:]))):]
	}
	return types
}

func plainly(c net.Conn) net.Conn { return c }

func needsLoop(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the event loop is for Linux only")
	}
}

// Records may come a byte at a time, be as large as they can be, and answers as well.
func TestSecureSegments(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureSegments)
}

func testSecureSegments(t *testing.T, driver Driver) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, Options{Driver: driver})
			p, _ := adoptSecure(t, e, Socket{Handler: &recorder{answer: echo}}, version, func(c net.Conn) net.Conn { return dribble{c} })
			for _, size := range []int{0, 1, 1000, maxRecord, 3 * maxRecord} {
				message := strings.Repeat("x", size)
				p.send(text(message))
				p.expect(opText, []byte(message))
			}
			p.server.mu.Lock()
			defer p.server.mu.Unlock()
			if held := p.server.secure().heldLocked(); held != 0 {
				t.Errorf("an idle connection holds %d bytes of buffers", held)
			}
		})
	}
}

// What TLS had read before the loop got the connection is not lost, its end neither: no event tells of them any more.
func TestSecureReadAhead(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureReadAhead)
}

func testSecureReadAhead(t *testing.T, driver Driver) {
	for _, ends := range []bool{false, true} {
		t.Run(fmt.Sprintf("ends %t", ends), func(t *testing.T) {
			t.Parallel()
			near, far := socketPair(t)
			near.SetDeadline(time.Now().Add(patience))
			wire := &collecting{Conn: near}
			client, server := handshake(t, wire, below(driver, far), &tls.Config{InsecureSkipVerify: true})
			wire.on = true
			for _, message := range []string{"one", "two", "three"} {
				if _, err := client.Write(text(message)); err != nil {
					t.Fatal(err)
				}
			}
			rest := wire.kept[len(wire.kept)-10:] // of the last record
			if ends {
				_ = client.CloseWrite()
				rest = nil
			}
			near.SetDeadline(time.Now().Add(patience)) // which CloseWrite has changed
			if _, err := near.Write(wire.kept[:len(wire.kept)-len(rest)]); err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(server, first); err != nil {
				t.Fatal(err)
			}
			r := &recorder{}
			e := newEngine(t, Options{Driver: driver})
			c, err := e.Adopt(server, Socket{Buffered: first, Handler: r, Limits: &Limits{InFlight: 1}})
			if err != nil {
				t.Fatal(err)
			}
			if !ends {
				r.awaitMessages(t, 2)
				if _, err := near.Write(rest); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.Join(r.awaitMessages(t, 3), " "); got != "1one 1two 1three" {
				t.Errorf("messages %q", got)
			}
			if ends {
				r.awaitClosed(t, CloseAbnormal, "")
			}
			c.Abort()
		})
	}
}

// What is no record ends the connection, and its peer is told why.
func TestSecureGarbage(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureGarbage)
}

func testSecureGarbage(t *testing.T, driver Driver) {
	record := func(kind byte, version, length uint16, body string) []byte {
		head := binary.BigEndian.AppendUint16([]byte{kind}, version)
		return append(binary.BigEndian.AppendUint16(head, length), body...)
	}
	for name, test := range map[string]struct {
		sent  []byte
		alert string
	}{
		"plain HTTP":          {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "protocol version"},
		"a forged record":     {record(23, 0x0303, 40, strings.Repeat("x", 40)), "bad record MAC"},
		"one too short":       {record(23, 0x0303, 3, "abc"), "bad record MAC"},
		"one too large":       {record(23, 0x0303, 0x7FFF, ""), "record overflow"},
		"an unprotected one":  {record(22, 0x0303, 4, "\x01\x00\x00\x00"), "bad record MAC"},
		"an earlier version":  {record(23, 0x0301, 40, strings.Repeat("x", 40)), "protocol version"},
		"a stream of nothing": {make([]byte, 100_000), "protocol version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, Options{Driver: driver})
			r := &recorder{answer: echo}
			p, client := adoptSecure(t, e, Socket{Handler: r}, 0, plainly)
			p.send(text("before"))
			p.expect(opText, []byte("before"))
			if _, err := p.tcp().Write(test.sent); err != nil && len(test.sent) < 1000 {
				t.Fatal(err)
			}
			if len(test.sent) < 1000 { // else the alert may be overtaken by the reset that what is unread makes
				if n, err := client.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), test.alert) {
					t.Errorf("the client reads %d bytes and %v, want the alert %q", n, err, test.alert)
				}
			}
			r.awaitClosed(t, CloseAbnormal, "")
		})
	}
}

// A stream that ends within a record, by a reset or in good order, has ended.
func TestSecureTruncated(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureTruncated)
}

func testSecureTruncated(t *testing.T, driver Driver) {
	for name, end := range map[string]func(*net.TCPConn) error{
		"reset":   func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
		"shut":    (*net.TCPConn).CloseWrite,
		"hang up": (*net.TCPConn).Close,
	} {
		for _, part := range []int{0, 3, 20} { // of a record
			t.Run(fmt.Sprint(name, " after ", part), func(t *testing.T) {
				t.Parallel()
				e := newEngine(t, Options{Driver: driver})
				r := &recorder{}
				wire := &collecting{}
				p, _ := adoptSecure(t, e, Socket{Handler: r}, 0, func(c net.Conn) net.Conn { wire.Conn = c; return wire })
				p.send(text("whole"))
				r.awaitMessages(t, 1)
				wire.on = true
				p.send(text("in part"))
				if _, err := p.tcp().Write(wire.kept[:part]); err != nil {
					t.Fatal(err)
				}
				if err := end(p.tcp()); err != nil {
					t.Fatal(err)
				}
				r.awaitClosed(t, CloseAbnormal, "")
			})
		}
	}
}

// The last record is an alert, close_notify, however the connection ends: with it the client knows that nothing was cut
// off. In TLS 1.2 it can be seen from outside.
func TestSecureEndsWithCloseNotify(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureEndsWithCloseNotify)
}

func testSecureEndsWithCloseNotify(t *testing.T, driver Driver) {
	for name, end := range map[string]func(p *peer, client *tls.Conn){
		"by the client": func(p *peer, _ *tls.Conn) {
			p.send(closeFrame(1000, ""))
			p.expect(opClose, closeBody(1000, ""))
		},
		"by the client, half-closed": func(p *peer, client *tls.Conn) {
			p.send(closeFrame(1000, ""))
			_ = client.CloseWrite()
			p.expect(opClose, closeBody(1000, ""))
		},
		"by the server": func(p *peer, _ *tls.Conn) {
			p.server.Close(1000, "")
			p.expect(opClose, closeBody(1000, ""))
			p.send(closeFrame(1000, ""))
		},
		"at once":                     func(p *peer, _ *tls.Conn) { p.server.Abort() },
		"by the client's TLS":         func(_ *peer, client *tls.Conn) { _ = client.CloseWrite() },
		"by a violation of WebSocket": func(p *peer, _ *tls.Conn) { p.send([]byte{0xFF, 0xFF}); p.frame() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEngine(t, Options{Driver: driver})
			log := &recordLog{}
			r := &recorder{answer: echo}
			p, client := adoptSecure(t, e, Socket{Handler: r}, tls.VersionTLS12, func(c net.Conn) net.Conn { log.Conn = c; return log })
			p.send(text("hello"))
			p.expect(opText, []byte("hello"))
			end(p, client)
			p.expectEnd()
			if types := log.types(); types[len(types)-1] != 21 || bytes.Count(types, []byte{21}) != 1 {
				t.Errorf("records of the types %d, want one alert, the last", types)
			}
			r.await(t, "Closed", func() bool { return len(r.closed) == 1 })
		})
	}
}

// Answers go on as long as the client takes them: what the kernel has taken doesn't count, on the event loop.
func TestAnswersNearTheQueuesLimit(t *testing.T) {
	t.Parallel()
	needsLoop(t)
	for _, driver := range []Driver{DriverEventLoop, driverSecure, driverCompact} {
		t.Run(fmt.Sprint(driver), func(t *testing.T) {
			t.Parallel()
			refused := make(chan error, 1)
			r := &recorder{answer: func(c *Conn, op Opcode, payload []byte) {
				if err := c.Send(op, payload); err != nil {
					refused <- err
					c.Abort()
				}
			}}
			p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{QueueBytes: 1 << 20, InFlight: 1})
			message := strings.Repeat("x", 950_000)
			for range 30 {
				sent := make(chan struct{})
				go func() { defer close(sent); _, _ = p.Write(text(message)) }()
				op, got, err := readFrame(p)
				if err != nil || op != opText || len(got) != len(message) {
					t.Fatalf("got a frame %d of %d bytes and %v; refused: %v", op, len(got), err, <-refused)
				}
				<-sent
			}
		})
	}
}

// Beginnings of records count as what is not handled, and those who hoard them are dropped.
func TestSecureHoarders(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureHoarders)
}

func testSecureHoarders(t *testing.T, driver Driver) {
	const conns, budget = 300, 1 << 20
	e := newEngine(t, Options{Driver: driver, MemoryBudget: budget})
	neighbour, _ := adopt(t, e, &recorder{answer: echo}, nil)
	r := &recorder{}
	start := append([]byte{23, 3, 3, 0x40, 0x11}, make([]byte, maxRecord)...)
	most := watchMemory(e)
	for range conns {
		p, _ := adopt(t, e, r, nil)
		_, _ = p.tcp().Write(start)
	}
	r.await(t, "end of those who are too many", func() bool { return len(r.closed) >= conns-budget/maxRecord })
	if got := most(); got < budget/2 || got > 4*budget {
		t.Errorf("up to %d bytes were counted, of a budget of %d", got, budget)
	}
	neighbour.send(text("hello"))
	neighbour.expect(opText, []byte("hello"))
	for _, got := range r.closings() {
		if got != (closing{CloseTryAgainLater, ReasonUnprocessed}) {
			t.Fatalf("dropped with %v", got)
		}
	}
}

// Who sends the smallest records without an end has turns, as the others of its loop.
func TestSecureFlood(t *testing.T) {
	t.Parallel()
	forLayers(t, testSecureFlood)
}

func testSecureFlood(t *testing.T, driver Driver) {
	e := newEngine(t, Options{Driver: driver, Loops: 1})
	neighbour, _ := adopt(t, e, &recorder{answer: echo}, nil)
	flooder, _ := adopt(t, e, &recorder{}, nil)
	frame := text(strings.Repeat("x", 1<<16))
	var flooding sync.WaitGroup
	stop := make(chan struct{})
	client := flooder.Conn.(*tls.Conn)
	flooding.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := client.Write(frame[n%len(frame) : n%len(frame)+1]); err != nil {
				return
			}
		}
	})
	for n := range 200 {
		message := fmt.Sprint(n)
		neighbour.send(text(message))
		neighbour.expect(opText, []byte(message))
	}
	close(stop)
	flooder.tcp().Close()
	flooding.Wait()
}

// crypto/tls has the buffers that are taken from it.
func TestRecordBuffers(t *testing.T) {
	t.Parallel()
	if !haveRecordBuffers {
		t.Error("this version of crypto/tls has other buffers: an idle connection keeps 4 KiB of them, or 40 after a large record")
	}
}

// An idle connection with TLS takes little, whatever it has sent.
func TestSecureIsSmall(t *testing.T) {
	needsLoop(t)
	for driver, most := range map[Driver]int64{driverSecure: 8 << 10, driverCompact: 1536} {
		t.Run(fmt.Sprint(driver), func(t *testing.T) { testSecureIsSmall(t, driver, most) })
	}
}

func testSecureIsSmall(t *testing.T, driver Driver, most int64) {
	e := newEngine(t, Options{Driver: driver})
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // empties pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	message := strings.Repeat("x", 100_000)
	r := &recorder{answer: func(c *Conn, _ Opcode, payload []byte) { c.Send(Text, payload[:2]) }}
	var kept []int // descriptors of the clients, without what Go has for them
	open := func() {
		p, _ := adopt(t, e, r, nil)
		p.send(text(message))
		p.expect(opText, []byte(message[:2]))
		raw, err := p.tcp().SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			low, err := syscall.Dup(int(fd))
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, low)
		})
		p.tcp().Close()
	}
	defer func() {
		for _, fd := range kept {
			syscall.Close(fd)
		}
	}()
	const conns = 200
	open() // what is allocated once
	r.change(func() { r.messages = nil })
	awaitRest(t, e)
	before := heap()
	for range conns {
		open()
	}
	r.change(func() { r.messages = nil })
	awaitRest(t, e)
	after := heap()
	each := (int64(after) - int64(before)) / conns
	t.Logf("%d bytes each", each)
	if each > most {
		t.Errorf("an idle connection takes %d bytes, want at most %d", each, most)
	}
	runtime.KeepAlive(e)
}

// awaitRest waits until no idle connection has keys.
func awaitRest(t *testing.T, e *Engine) {
	t.Helper()
	for _, l := range e.loops {
		awaitResting(t, &l.resting, 0)
	}
}
