package websocket

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func echo(c *Conn, op Opcode, payload []byte) { c.Send(op, payload) }

// fill sends until the queue is full and returns how many messages went in.
func fill(t *testing.T, c *Conn, payload []byte) (n int) {
	t.Helper()
	for {
		switch err := c.Send(Binary, payload); {
		case errors.Is(err, ErrQueueFull):
			return n
		case err != nil:
			t.Fatal(err)
		}
		n++
	}
}

func TestQueueFull(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{QueueBytes: 50_000})
		payload := bytes.Repeat([]byte("0123456789"), 1000)
		n := fill(t, c, payload)
		p.send(control(opPing, "there is no room for the pong"), text("read all the same"))
		r.awaitMessages(t, 1)
		c.Close(1000, "behind the queue")
		for range n {
			p.expect(opBinary, payload)
		}
		for {
			op, got := p.frame()
			if op == opPong { // there was room once
				continue
			}
			if op != opClose || !bytes.Equal(got, closeBody(1000, "behind the queue")) {
				t.Errorf("got frame %d %q, want the close frame", op, got)
			}
			break
		}
		p.send(closeFrame(1000, ""))
		p.expectEnd()
		r.awaitClosed(t, 1000, "behind the queue")
	})
}

func TestQueueTakesOneMessageOfAnySize(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), &recorder{}, &Limits{QueueBytes: 10})
		payload := make([]byte, 20<<20)
		if err := c.Send(Binary, payload); err != nil {
			t.Fatal(err)
		}
		if err := c.Send(Binary, payload); !errors.Is(err, ErrQueueFull) {
			t.Errorf("got %v, want ErrQueueFull", err)
		}
		p.expect(opBinary, payload)
		eventually(t, "room", func() bool { return c.Send(Binary, nil) == nil })
	})
}

func TestSlowReaderCostsOnlyItself(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, Loops: 1, WriteTimeout: time.Second})
		slow := &recorder{}
		_, c := adopt(t, e, slow, nil)
		c.Send(Binary, make([]byte, 32<<20)) // more than the kernel takes
		p, _ := adopt(t, e, &recorder{answer: echo}, nil)
		for range 1000 {
			p.send(text("hello"))
			p.expect(opText, []byte("hello"))
		}
		slow.awaitClosed(t, CloseAbnormal, "")
	})
}

// gate is a handler's answer that waits to be let through.
type gate struct {
	open    chan struct{}
	running atomic.Int32
	most    atomic.Int32
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) answer(*Conn, Opcode, []byte) {
	n := g.running.Add(1)
	defer g.running.Add(-1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	<-g.open
}

func TestInFlightOfOneConnection(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, Loops: 1})
		g := newGate()
		r := &recorder{answer: g.answer}
		p, _ := adopt(t, e, r, &Limits{InFlight: 3})
		var all []byte
		for i := range 20 {
			all = append(all, text(fmt.Sprint(i))...)
		}
		all = append(all, control(opPing, "behind")...)
		p.send(all)
		r.awaitMessages(t, 3)
		other := &recorder{answer: echo}
		q, _ := adopt(t, e, other, nil)
		q.send(text("not held up"))
		q.expect(opText, []byte("not held up"))
		if n := len(r.awaitMessages(t, 3)); n != 3 {
			t.Errorf("%d messages in flight, want 3", n)
		}
		close(g.open)
		p.expect(opPong, []byte("behind"))
		r.awaitMessages(t, 20)
		if g.most.Load() != 3 {
			t.Errorf("up to %d in flight, want 3", g.most.Load())
		}
		p.send(text("and on"))
		r.awaitMessages(t, 21)
	})
}

// TestInFlightStopsReading sends more than the kernel holds for a connection
// that isn't read.
func TestInFlightStopsReading(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		g := newGate()
		r := &recorder{answer: g.answer}
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{InFlight: 1})
		const messages = 120
		all := bytes.Repeat(text(strings.Repeat("x", 100_000)), messages)
		p.tcp().SetWriteBuffer(1 << 16)
		p.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := p.Write(all)
		if err == nil {
			t.Error("everything was read in spite of the bound")
		}
		close(g.open)
		if driver.secures() {
			return // TLS does not go on after a part of a record
		}
		p.SetWriteDeadline(time.Now().Add(patience))
		p.send(all[n:])
		r.awaitMessages(t, messages)
	})
}

func TestInFlightOverall(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, InFlight: 5})
		g := newGate()
		r := &recorder{answer: g.answer}
		for i := range 12 {
			p, c := adopt(t, e, r, &Limits{InFlight: 2})
			p.send(text("a"), text("b"), text("c"))
			if i == 11 { // a connection that ends while it waits loses no message, and no one's turn
				eventually(t, "wait", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.waiting != nil })
				p.Close()
				c.Abort()
			}
		}
		r.awaitMessages(t, 5)
		close(g.open)
		r.awaitMessages(t, 11*3+1)
		if g.most.Load() != 5 {
			t.Errorf("up to %d in flight, want 5", g.most.Load())
		}
	})
}

// TestInFlightOneKeepsOrder is how a connection gets its messages in order.
func TestInFlightOneKeepsOrder(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		r := &recorder{answer: echo}
		p, _ := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{InFlight: 1})
		const messages = 5000
		go func() {
			var all []byte
			for i := range messages {
				all = append(all, text(fmt.Sprint(i))...)
			}
			p.Write(all)
		}()
		for i := range messages {
			p.expect(opText, fmt.Append(nil, i))
		}
	})
}

func TestCloseWhilePaused(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		g := newGate()
		r := &recorder{answer: g.answer}
		p, c := adopt(t, newEngine(t, Options{Driver: driver}), r, &Limits{InFlight: 1})
		p.send(text("a"), text("b"), text("c"))
		eventually(t, "pause", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.waiting != nil })
		c.Close(1000, "")
		p.expect(opClose, closeBody(1000, ""))
		p.send(closeFrame(1000, ""))
		p.expectEnd()
		r.awaitClosed(t, 1000, "")
		close(g.open)
		if got := r.awaitMessages(t, 2); !slices.Equal(got, []string{"1a", "1b"}) {
			t.Errorf("got messages %q, want those that had come whole", got)
		}
	})
}

// opener is a handler that does something when it is opened.
type opener struct {
	recorder
	open func(*Conn)
}

func (o *opener) Opened(c *Conn) {
	o.recorder.Opened(c)
	o.open(c)
}

func TestAdoptSendsResponseFirstAndReadsBuffered(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		o := &opener{open: func(c *Conn) { c.Send(Text, []byte("at once")) }}
		o.answer = echo
		first, second, _ := bytes.Cut(text("buffered"), []byte{0x21})
		p, _ := adoptSocket(t, newEngine(t, Options{Driver: driver}), Socket{
			Response: []byte("101\r\n"), Buffered: join(text("whole"), first), Handler: o, Limits: &Limits{InFlight: 1},
		})
		response := make([]byte, 5)
		if _, err := io.ReadFull(p, response); err != nil || string(response) != "101\r\n" {
			t.Fatalf("got %q, %v first, want the response", response, err)
		}
		p.expect(opText, []byte("at once"))
		p.expect(opText, []byte("whole"))
		p.send([]byte{0x21}, second)
		p.expect(opText, []byte("buffered"))
	})
}

func TestAdoptDeadSocket(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		for name, kill := range map[string]func(client, server net.Conn){
			"closed here":    func(_, server net.Conn) { server.Close() },
			"closed there":   func(client, _ net.Conn) { client.Close() },
			"reset by there": func(client, _ net.Conn) { (&peer{Conn: client}).tcp().SetLinger(0); client.Close() },
		} {
			client, server := connPair(t, e)
			kill(client, server)
			r := &recorder{}
			if _, err := e.Adopt(server, Socket{Response: []byte("101\r\n"), Handler: r}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			r.awaitClosed(t, CloseAbnormal, "")
			if r.opened != 1 {
				t.Errorf("%s: opened %d times, want once", name, r.opened)
			}
		}
	})
}

func TestEndInOpened(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		abort := &opener{open: (*Conn).Abort}
		p, _ := adopt(t, e, abort, nil)
		abort.awaitClosed(t, CloseAbnormal, "")
		p.expectEnd()
		closer := &opener{open: func(c *Conn) { c.Close(1000, "no") }}
		p, _ = adopt(t, e, closer, nil)
		p.expect(opClose, closeBody(1000, "no"))
		p.send(closeFrame(1000, ""))
		closer.awaitClosed(t, 1000, "no")
		p.expectEnd()
	})
}

// wrapped is a connection as listeners wrap them.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

func TestAdoptLooksThroughWrappers(t *testing.T) {
	t.Parallel()
	forPlainDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver})
		client, server := socketPair(t)
		c, err := e.Adopt(wrapped{wrapped{server}}, Socket{Handler: &recorder{answer: echo}})
		if err != nil {
			t.Fatal(err)
		}
		if looped := c.fd >= 0; looped != (driver == DriverEventLoop) {
			t.Errorf("in an event loop: %v", looped)
		}
		p := &peer{t: t, Conn: client}
		p.send(text("hello"))
		p.expect(opText, []byte("hello"))

		_, server = socketPair(t)
		self := &selfish{Conn: server}
		if c, err = e.Adopt(self, Socket{Handler: &recorder{}}); err != nil || c.fd >= 0 {
			t.Errorf("a wrapper that keeps its socket: %v, descriptor %d", err, c.fd)
		}
		c.Close(1000, "")

		web := httptest.NewUnstartedServer(nil)
		web.StartTLS()
		defer web.Close()
		client, server = socketPair(t)
		secure := tls.Server(server, web.TLS)
		r := &recorder{answer: echo}
		if _, err := e.Adopt(wrapped{secure}, Socket{Handler: r}); err != nil {
			t.Fatal(err)
		}
		p = &peer{t: t, Conn: tls.Client(client, &tls.Config{InsecureSkipVerify: true})}
		p.send(text("secret"))
		p.expect(opText, []byte("secret"))
		p.send(closeFrame(1000, ""))
		p.expect(opClose, closeBody(1000, ""))
		p.Close()
		r.awaitClosed(t, 1000, "")
	})
}

// selfish is a wrapper that doesn't give its socket away.
type selfish struct{ net.Conn }

func (s *selfish) NetConn() net.Conn { return s }

// TestChurn opens and ends thousands of connections in every way.
func TestChurn(t *testing.T) {
	t.Parallel()
	forDrivers(t, func(t *testing.T, driver Driver) {
		e := newEngine(t, Options{Driver: driver, CloseTimeout: time.Second})
		r := &recorder{answer: echo}
		limits := &Limits{Idle: time.Minute}
		const workers, rounds = 8, 150
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for i := range rounds {
					p, c := adopt(t, e, r, limits)
					p.send(text("hello"))
					switch i % 5 {
					case 0:
						p.expect(opText, []byte("hello"))
						p.send(closeFrame(1000, ""))
						p.expect(opClose, closeBody(1000, ""))
						p.expectEnd()
					case 1:
						p.tcp().SetLinger(0)
					case 2:
						c.Close(1000, "")
					case 3:
						c.Abort()
					}
					p.Close()
				}
			})
		}
		all.Wait()
		r.await(t, "all closed", func() bool { return len(r.closed) == workers*rounds })
		eventually(t, "table empty", func() bool { return len(e.table.all()) == 0 })
		if r.opened != workers*rounds {
			t.Errorf("opened %d, want %d", r.opened, workers*rounds)
		}
		if !e.wheel.places.Empty() {
			t.Error("the wheel still holds connections")
		}
	})
}
