package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counted counts what is read and written.
type counted struct {
	net.Conn
	read, written atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// serveHTTP serves one connection. The handler of its only request is called, and what the server reads in the background
// meanwhile is interrupted as soon as it hijacks.
func serveHTTP(conn net.Conn, handler http.HandlerFunc) {
	accept := make(chan net.Conn, 1)
	accept <- conn
	close(accept)
	_ = (&http.Server{Handler: handler, ReadHeaderTimeout: patience}).Serve(accepted(accept))
}

// accepted is a listener with the connections of a channel.
type accepted chan net.Conn

func (a accepted) Accept() (net.Conn, error) {
	if conn, more := <-a; more {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (accepted) Close() error   { return nil }
func (accepted) Addr() net.Addr { return &net.TCPAddr{} }

// The server of net/http reads while a handler works, and a hijack interrupts that: in the middle of a record, behind one, and
// between them. Nothing of what has come is lost.
func TestTakeWhatAnHTTPServerHasRead(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string][]string{"in the first record": nil, "in the second": {"it came in time, "}, "in the third": {"so did ", "these, "}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPort()
			near, far := sockets(t)
			socket, other := &counted{Conn: near}, &counted{Conn: far}
			pieces := &pieceWriter{Conn: other}
			client := tls.Client(pieces, clientConfig())
			tap := p.secrets.Tap(socket)
			entered, came := make(chan struct{}), make(chan struct{})
			type result struct {
				taken *Taken
				read  []byte // by the server
				err   error
			}
			results := make(chan result, 1)
			serveHTTP(tls.Server(tap, p.config), func(w http.ResponseWriter, _ *http.Request) {
				close(entered)
				<-came
				var r result
				defer func() { results <- r }()
				conn, buffered, err := http.NewResponseController(w).Hijack()
				if r.err = err; err != nil {
					return
				}
				r.read, _ = buffered.Reader.Peek(buffered.Reader.Buffered())
				r.read = bytes.Clone(r.read)
				r.taken, r.err = tap.Take(conn.(*tls.Conn))
			})
			if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: here\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			<-entered
			for _, record := range whole {
				if _, err := io.WriteString(client, record); err != nil {
					t.Fatal(err)
				}
			}
			pieces.hold.Store(true)
			if _, err := io.WriteString(client, "the rest comes later"); err != nil {
				t.Fatal(err)
			}
			if len(whole) == 0 { // or else the server reads no further than it needs
				for end := time.Now().Add(patience); socket.read.Load() < other.written.Load(); time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("the server has read %d bytes of %d", socket.read.Load(), other.written.Load())
					}
				}
			}
			close(came)
			r := <-results
			if r.err != nil {
				t.Fatal(r.err)
			}
			if err := near.SetDeadline(time.Now().Add(patience)); err != nil { // the hijack has lifted it
				t.Fatal(err)
			}
			if err := pieces.release(); err != nil {
				t.Fatal(err)
			}
			want := strings.Join(whole, "") + "the rest comes later"
			got := make([]byte, len(want)-len(r.read))
			_, err := io.ReadFull(&stream{socket, r.taken.Layer, r.taken.Data, r.taken.Rest}, got)
			if got := string(r.read) + string(got); err != nil || got != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
}
