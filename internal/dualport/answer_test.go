package dualport_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagedoor/stagedoor/internal/dualport"
)

// pipes is a listener for the other ends of net.Pipe.
type pipes struct {
	conns chan net.Conn
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.ended); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// How long a client may take for an answer: from its first byte, and longer the
// more of it was taken; what the handler takes before does not count.
func TestAnswerTime(t *testing.T) {
	t.Parallel()
	const limit = 10 * time.Second
	for name, test := range map[string]struct {
		size  int
		every time.Duration // of 64 KiB that are read
		whole bool
	}{
		"one that never reads":        {1 << 10, time.Hour, false},
		"a small one, just in time":   {1 << 10, limit - time.Second, true},
		"a large one, read steadily":  {4 << 20, 900 * time.Millisecond, true},
		"a large one, read in drips":  {4 << 20, 3 * time.Second, false},
		"a large one, read in no way": {4 << 20, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				inner := &pipes{make(chan net.Conn), make(chan struct{})}
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					time.Sleep(3 * limit) // the handler's time is its own
					_, _ = w.Write(bytes.Repeat([]byte("x"), test.size))
				})}
				dualport.Attach(server, limit)
				go func() { _ = server.Serve(dualport.NewListener(inner, nil)) }()
				near, far := net.Pipe()
				inner.conns <- far
				_, _ = io.WriteString(near, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				time.Sleep(3 * limit)
				got := 0
				for part := make([]byte, 64<<10); ; {
					time.Sleep(test.every)
					n, err := io.ReadFull(near, part)
					if got += n; err != nil {
						break
					}
				}
				if (got >= test.size) != test.whole {
					t.Errorf("%d of %d bytes came", got, test.size)
				}
				_ = server.Close()
			})
		})
	}
}

// An answer that is passed on as it comes has its time from its latest part on.
func TestAnswerThatIsPassedOn(t *testing.T) {
	t.Parallel()
	const limit = 10 * time.Second
	for name, test := range map[string]struct {
		reads int // parts
		whole bool
	}{"to a client that reads": {20, true}, "to one that stops reading": {3, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				inner := &pipes{make(chan net.Conn), make(chan struct{})}
				var failed atomic.Bool
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for range 20 {
						time.Sleep(limit - time.Second) // the part takes so long to come
						dualport.FromRequest(r).AwaitAnswer()
						_, _ = w.Write([]byte("part"))
						if http.NewResponseController(w).Flush() != nil {
							failed.Store(true)
						}
					}
				})}
				dualport.Attach(server, limit)
				go func() { _ = server.Serve(dualport.NewListener(inner, nil)) }()
				near, far := net.Pipe()
				inner.conns <- far
				_, _ = io.WriteString(near, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
				reader := bufio.NewReader(near)
				for got := 0; got < test.reads; {
					line, err := reader.ReadString('\n')
					if err != nil {
						t.Fatalf("after %d parts: %v", got, err)
					}
					got += strings.Count(line, "part")
				}
				time.Sleep(30 * limit)
				if failed.Load() == test.whole {
					t.Errorf("failed: %t", failed.Load())
				}
				_ = near.Close()
				_ = server.Close()
			})
		})
	}
}

// deadlines is a connection that takes down the deadlines for writing.
type deadlines struct {
	net.Conn
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return d.Conn.SetWriteDeadline(at)
}

// A machine whose clock is set, while an answer is written, ends none: deadlines
// are of the monotonic clock.
func TestAnswerTimeIsMonotonic(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	raw := &deadlines{Conn: far}
	inner := &pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 200<<10))
	})}
	dualport.Attach(server, time.Hour)
	served := make(chan struct{})
	go func() { _ = server.Serve(dualport.NewListener(inner, nil)); close(served) }()
	inner.conns <- raw
	if _, err := io.WriteString(near, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, near); err != nil {
		t.Fatal(err)
	}
	_ = server.Shutdown(t.Context())
	<-served
	limits := 0
	for _, at := range raw.set {
		if at.IsZero() {
			continue // no limit
		}
		if limits++; !strings.Contains(at.String(), " m=") {
			t.Errorf("a deadline at %v, which is of the wall clock alone", at)
		}
	}
	if limits < 4 {
		t.Errorf("%d deadlines for an answer of 200 KiB: %v", limits, raw.set)
	}
}
