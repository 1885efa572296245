package listener_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/listener"
)

// waitClosed reads until the server closes.
func waitClosed(t *testing.T, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		t.Error("the connection stays open")
	}
	return string(text)
}

// dribble sends bytes one at a time, with pauses, until the server has enough.
func dribble(conn net.Conn, text string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range text {
		<-tick.C
		if _, err := conn.Write([]byte{text[i]}); err != nil {
			return
		}
	}
}

// Clients that send slowly, or nothing, are dropped in time; what they send
// does not buy them more.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 4000)
	tests := []struct {
		name, text string
		slowly     bool
		body       bool
	}{
		{"silence", "", false, false},
		{"half a request line", "GET /dev", false, false},
		{"half a header", "GET /dev HTTP/1.1\r\nHost: x\r\n", false, false},
		{"half a TLS handshake", "\x16\x03\x01\x02\x00", false, false},
		{"a header a byte at a time", "GET /dev HTTP/1.1\r\nHost: x\r\nX-Slow: " + long, true, false},
		{"a TLS record a byte at a time", "\x16\x03\x01\x0f\xff\x01" + long, true, false},
		{"blank lines", strings.Repeat("\r\n", 2000), true, false},
		{"half a body", head("POST /dev/@connections/x HTTP/1.1", "Host: x", "Content-Length: 100") + "x", false, true},
		{"a body a byte at a time", long, true, true},
		{"chunks that never end", head("POST /dev/@connections/x HTTP/1.1", "Host: x", "Transfer-Encoding: chunked") + "5\r\nab", false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			limits := listener.Limits{HeaderTime: time.Second}
			if test.body {
				limits = listener.Limits{BodyTime: time.Second}
			}
			config, _ := certificates(t)
			g := gatewayBehind(t, listener.Options{TLS: config, Limits: limits})
			alive := neighbour(t, g)
			conn := dial(t, g.Address)
			if test.slowly {
				if test.body {
					_, _ = io.WriteString(conn, head("POST /dev/@connections/x HTTP/1.1", "Host: x", "Content-Length: 4000"))
				}
				sent := make(chan struct{})
				go func() { defer close(sent); dribble(conn, test.text) }()
				defer func() { _ = conn.Close(); <-sent }()
			} else {
				_, _ = io.WriteString(conn, test.text)
			}
			if answer := waitClosed(t, conn); strings.Contains(answer, "HTTP/1.1 2") {
				t.Errorf("answer %q", answer)
			}
			alive()
		})
	}
}

// A body has its time, and what the handler does after it has its own.
func TestBodyTimeEndsWithTheBody(t *testing.T) {
	t.Parallel()
	const limit = 500 * time.Millisecond
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			_, _ = io.WriteString(w, "cancelled")
		case <-time.After(2 * limit):
			_, _ = io.WriteString(w, "done")
		}
	}), listener.Options{Limits: listener.Limits{BodyTime: limit}})
	conn := dial(t, address)
	_, _ = io.WriteString(conn, head("POST / HTTP/1.1", "Host: x", "Content-Length: 1", "Connection: close")+"x")
	if answer := waitClosed(t, conn); !strings.HasSuffix(answer, "done") {
		t.Errorf("answer %q", answer)
	}
}

// A flood from one source ends at its limit. Connections that became WebSockets
// do not count, and who leaves makes room.
func TestConnectionFlood(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]listener.Limits{
		"per source": {PerSource: 3},
		"in total":   {Connections: 3, PerSource: -1},
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", name, secure), func(t *testing.T) {
				t.Parallel()
				var refused atomic.Int32
				config, client := certificates(t)
				g := gatewayBehind(t, listener.Options{TLS: config, Limits: limits, Refused: func(source netip.Addr, reason string) {
					if source != netip.MustParseAddr("127.0.0.1") || !strings.HasPrefix(reason, "too many connections") {
						t.Errorf("refused %v: %s", source, reason)
					}
					refused.Add(1)
				}})
				for range 5 { // more than may wait at a time
					conn := dial(t, g.Address)
					if secure {
						conn = secured(t, conn, client)
					}
					_, _ = io.WriteString(conn, upgrade("/dev", "Host: x"))
					if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != 101 {
						t.Fatalf("%v %v", response, err)
					}
				}
				waiting := make([]net.Conn, 3)
				for i := range waiting {
					waiting[i] = dial(t, g.Address)
				}
				if late, err := net.Dial("tcp", g.Address); err == nil { // the reset may come before Dial returns
					if text := waitClosed(t, late); text != "" {
						t.Errorf("answer %q", text)
					}
					late.Close()
				}
				gatewaytest.Eventually(t, func() error {
					if n := refused.Load(); n != 1 {
						return fmt.Errorf("%d are refused, want 1", n)
					}
					return nil
				})
				_ = waiting[0].Close()
				gatewaytest.Eventually(t, func() error {
					return answered(g.Address, head("GET /dev HTTP/1.1", "Host: x"), http.StatusUpgradeRequired)
				})
			})
		}
	}
}

// unread sends requests over a connection and reads no answer, until the server
// takes no more or hangs up.
func unread(conn net.Conn, request string) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(64 << 10)
	}
	requests := strings.Repeat(request, 100)
	for {
		if _, err := io.WriteString(conn, requests); err != nil {
			return
		}
	}
}

// answered sends a request on a connection of its own, and returns an error unless
// it is answered with a status.
func answered(address, request string, status int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(gatewaytest.Timeout))
	_, _ = io.WriteString(conn, request)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	if response.StatusCode != status {
		return fmt.Errorf("answered %s, want %d", response.Status, status)
	}
	return nil
}

// Clients that read no answer give their places back in time.
func TestAnswersNeverRead(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		for name, request := range map[string]string{
			"refused handshakes": upgrade("/none", "Host: x"),
			"no handshakes":      head("GET /dev HTTP/1.1", "Host: x"),
			"@connections":       head("GET /dev/@connections/x HTTP/1.1", "Host: x"),
			"bad requests":       head("GET /dev HTTP/1.1", "Host: x", "Authorization: a", "Authorization: b"),
		} {
			t.Run(fmt.Sprintf("%s, TLS %t", name, secure), func(t *testing.T) {
				t.Parallel()
				config, client := certificates(t)
				g := gatewayBehind(t, listener.Options{TLS: config, Limits: listener.Limits{Connections: 2, WriteTime: 100 * time.Millisecond, HeaderTime: 3 * time.Second}})
				var sending sync.WaitGroup
				defer sending.Wait()
				for range 2 {
					conn := dial(t, g.Address)
					_ = conn.SetDeadline(time.Time{})
					defer conn.Close()
					if secure {
						conn = secured(t, conn, client)
					}
					sending.Go(func() { unread(conn, request) })
				}
				gatewaytest.Eventually(t, func() error {
					return answered(g.Address, upgrade("/dev", "Host: x"), http.StatusSwitchingProtocols)
				})
			})
		}
	}
}

// A trusted proxy stands for many clients.
func TestProxiesAreNoSource(t *testing.T) {
	t.Parallel()
	trusted := networks(t, "127.0.0.1")
	g := gatewayBehind(t, listener.Options{Trusted: trusted, Limits: listener.Limits{PerSource: 1}})
	for range 5 {
		dial(t, g.Address)
	}
	neighbour(t, g)()
}

// exhausted is a listener whose accepting fails for a while, as it does when the
// process or the system has no descriptors left.
type exhausted struct {
	net.Listener
	left atomic.Int32
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// Accepting goes on when there are descriptors again.
func TestAcceptGoesOn(t *testing.T) {
	t.Parallel()
	for _, o := range []listener.Options{{}, {ProxyProtocol: true}, {LeavesReserve: true}} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		failing := &exhausted{Listener: inner}
		failing.left.Store(4)
		s := listener.Serve(failing, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "served")
		}), o)
		defer s.Close(t.Context())
		conn := dial(t, inner.Addr().String())
		_, _ = io.WriteString(conn, head("GET / HTTP/1.1", "Host: x", "Connection: close"))
		if answer := waitClosed(t, conn); !strings.HasSuffix(answer, "served") {
			t.Errorf("%+v: answer %q", o, answer)
		}
		if failing.left.Load() >= 0 {
			t.Error("accepting did not fail")
		}
	}
}
