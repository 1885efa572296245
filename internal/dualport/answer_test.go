package dualport_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
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
