package websocket

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// discard is a Handler that does nothing.
type discard struct{}

func (discard) Opened(*Conn)              {}
func (discard) Message(m *Message)        { m.Done() }
func (discard) Control(*Conn)             {}
func (discard) Closed(*Conn, int, string) {}

// echoer is a Handler that sends everything back.
type echoer struct{ discard }

func (echoer) Message(m *Message) {
	m.Conn().Send(m.Opcode(), m.Payload())
	m.Done()
}

// TestConnIsSmall bounds what a connection costs while nothing happens.
func TestConnIsSmall(t *testing.T) {
	t.Parallel()
	if size := unsafe.Sizeof(Conn{}); size > 240 {
		t.Errorf("a Conn has %d bytes, want at most 240", size)
	}
}

// TestAllocations bounds what a small message costs in and out: nothing, but where pools
// are emptied and where a goroutine writes.
func TestAllocations(t *testing.T) {
	e := newEngine(t, Options{Driver: DriverAuto, Loops: 1})
	p, _ := adopt(t, e, echoer{}, &Limits{Idle: time.Hour})
	in, out := text("hello"), make([]byte, 2+len("hello"))
	perEcho := testing.AllocsPerRun(5000, func() {
		if _, err := p.Write(in); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(p, out); err != nil {
			t.Fatal(err)
		}
	})
	if perEcho > 1 {
		t.Errorf("%v allocations to receive and send a small message, want at most 1", perEcho)
	}
}

func BenchmarkEcho(b *testing.B) {
	for name, driver := range map[string]Driver{"goroutine": DriverGoroutine, "auto": DriverAuto} {
		b.Run(name, func(b *testing.B) {
			e := newEngine(b, Options{Driver: driver})
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				p, _ := adopt(b, e, echoer{}, &Limits{Idle: time.Hour})
				p.SetDeadline(time.Time{})
				in, out := text("hello"), make([]byte, 2+len("hello"))
				for pb.Next() {
					p.Write(in)
					if _, err := io.ReadFull(p, out); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkEchoLarge echoes messages that do not fit a read.
func BenchmarkEchoLarge(b *testing.B) {
	for name, driver := range map[string]Driver{"goroutine": DriverGoroutine, "auto": DriverAuto} {
		b.Run(name, func(b *testing.B) {
			e := newEngine(b, Options{Driver: driver})
			p, _ := adopt(b, e, echoer{}, nil)
			p.SetDeadline(time.Time{})
			in, out := text(strings.Repeat("x", 100_000)), make([]byte, 10+100_000)
			b.SetBytes(100_000)
			b.ReportAllocs()
			for b.Loop() {
				p.Write(in)
				if _, err := io.ReadFull(p, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIdle reports the user memory of an idle connection that has had a
// message, without the client's side: bytes/conn. It compares what is held
// before and after the engine is gone.
func BenchmarkIdle(b *testing.B) {
	for name, driver := range map[string]Driver{"goroutine": DriverGoroutine, "auto": DriverAuto} {
		b.Run(name, func(b *testing.B) {
			const conns = 4000
			e, err := NewEngine(Options{Driver: driver, CloseTimeout: time.Millisecond})
			if err != nil {
				b.Fatal(err)
			}
			listener, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
			if err != nil {
				b.Skip("no Unix sockets: ", err)
			}
			defer listener.Close()
			clients := make([]net.Conn, conns)
			limits := &Limits{Idle: time.Hour, Lifetime: 2 * time.Hour}
			in, out := text("hello"), make([]byte, 2+len("hello"))
			for i := range clients {
				clients[i], err = net.Dial("unix", listener.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				defer clients[i].Close()
				server, err := listener.Accept()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.Adopt(server, Socket{Handler: echoer{}, Limits: limits}); err != nil {
					b.Fatal(err)
				}
				clients[i].Write(in)
				if _, err := io.ReadFull(clients[i], out); err != nil {
					b.Fatal(err)
				}
			}
			with := userMemory()
			if err := e.Shutdown(context.Background()); err != nil {
				b.Fatal(err)
			}
			e = nil //nolint:wastedassign // lets the collector take the engine
			b.ReportMetric(float64(with-userMemory())/conns, "bytes/conn")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// userMemory is what is reachable on the heap, and the stacks.
func userMemory() int64 {
	runtime.GC()
	runtime.GC() // the second empties the pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
