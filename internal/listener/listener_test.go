package listener_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/dualport"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/netconn"
)

// certificates returns a server's configuration and that of a client that
// trusts it.
func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	pool := x509.NewCertPool()
	pool.AddCert(certified.Certificate())
	return &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
}

func secured(t *testing.T, conn net.Conn, config *tls.Config) net.Conn {
	t.Helper()
	secure := tls.Client(conn, config)
	if err := secure.Handshake(); err != nil {
		t.Fatal(err)
	}
	return secure
}

// seen is what a handler knows of a request's origin.
type seen struct {
	Remote string
	Origin forwarded.Origin
	Lines  []dualport.Field
}

// What a handler sees of a client: by TLS and not, through each kind of proxy,
// and of a client that only claims to be one.
func TestWhoTheClientIs(t *testing.T) {
	t.Parallel()
	const claims = "X-Forwarded-For: 10.9.9.9, 203.0.113.9"
	const header = "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n"
	tests := []struct {
		name    string
		trusted []string
		proxied bool // by the PROXY protocol
		before  string
		want    forwarded.Origin
	}{
		{"nobody is trusted", nil, false, "", forwarded.Origin{Address: "127.0.0.1", Claims: "10.9.9.9, 203.0.113.9"}},
		{"somebody else is trusted", []string{"10.0.0.0/8"}, true, "", forwarded.Origin{Address: "127.0.0.1", Claims: "10.9.9.9, 203.0.113.9"}},
		{"a trusted proxy", []string{"127.0.0.1"}, false, "", forwarded.Origin{Address: "203.0.113.9", Claims: "10.9.9.9"}},
		{"by the PROXY protocol", []string{"127.0.0.1"}, true, header, forwarded.Origin{Address: "203.0.113.7", Claims: "10.9.9.9, 203.0.113.9", Port: "443"}},
		{"a proxy behind the PROXY protocol", []string{"127.0.0.1", "203.0.113.7"}, true, header, forwarded.Origin{Address: "203.0.113.9", Claims: "10.9.9.9", Port: "443"}},
	}
	for _, test := range tests {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", test.name, secure), func(t *testing.T) {
				t.Parallel()
				trusted := networks(t, test.trusted...)
				config, client := certificates(t)
				address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_ = json.NewEncoder(w).Encode(seen{r.RemoteAddr, forwarded.Of(r), dualport.Header(r)})
				}), listener.Options{TLS: config, Trusted: trusted, ProxyProtocol: test.proxied})
				conn := dial(t, address)
				_, _ = io.WriteString(conn, test.before)
				if secure {
					conn = secured(t, conn, client)
				}
				_, _ = io.WriteString(conn, head("GET / HTTP/1.1", "Host: x", claims, "Connection: close"))
				_, body, _ := strings.Cut(waitClosed(t, conn), "\r\n\r\n")
				var got seen
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Fatalf("%v: %q", err, body)
				}
				want := test.want
				want.Proto = map[bool]string{false: "http", true: "https"}[secure]
				if want.Port == "" {
					_, want.Port, _ = net.SplitHostPort(address)
				}
				if diff := cmp.Diff(want, got.Origin); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if host, _, _ := net.SplitHostPort(got.Remote); host != want.Address {
					t.Errorf("RemoteAddr %s", got.Remote)
				}
				lines := []dualport.Field{{Name: "Host", Value: "x"}, {Name: "X-Forwarded-For", Value: "10.9.9.9, 203.0.113.9"}, {Name: "Connection", Value: "close"}}
				if diff := cmp.Diff(lines, got.Lines); diff != "" {
					t.Errorf("lines as written (-want +got)\n%s", diff)
				}
			})
		}
	}
}

// A WebSocket works behind the PROXY protocol, with and without TLS, from the first frame
// that comes with the handshake.
func TestWebSocketBehindProxyProtocol(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %t", secure), func(t *testing.T) {
			t.Parallel()
			server, client := certificates(t)
			trusted := networks(t, "127.0.0.0/8")
			g := gatewayBehind(t, listener.Options{Trusted: trusted, ProxyProtocol: true, TLS: server})
			conn := dial(t, g.Address)
			_, _ = io.WriteString(conn, "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n")
			if secure {
				conn = secured(t, conn, client)
			}
			_, _ = io.WriteString(conn, upgrade("/dev", "Host: x")+"\x81\x82\x00\x00\x00\x00hi")
			buffer := make([]byte, 1024)
			got := ""
			for !strings.HasSuffix(got, "\x81\x02hi") {
				n, err := conn.Read(buffer)
				if err != nil {
					t.Fatalf("%v after %q", err, got)
				}
				got += string(buffer[:n])
			}
			if !strings.HasPrefix(got, "HTTP/1.1 101 ") {
				t.Errorf("answer %q", got)
			}
		})
	}
}

// Behind all wrappers of a hijacked connection there is the socket, so that an
// idle WebSocket holds none of them. Below TLS there is a switch, by which an event
// loop takes the socket.
func TestHijackedConnectionUnwraps(t *testing.T) {
	t.Parallel()
	server, client := certificates(t)
	trusted := networks(t, "127.0.0.0/8")
	for name, test := range map[string]struct {
		before string
		secure bool
		want   string
	}{
		"plain":                   {"", false, "*net.TCPConn"},
		"PROXY protocol":          {"PROXY UNKNOWN\r\n", false, "*net.TCPConn"},
		"TLS":                     {"", true, "*netconn.Switch *net.TCPConn"},
		"PROXY protocol with TLS": {"PROXY UNKNOWN\r\n", true, "*netconn.Switch *net.TCPConn"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := make(chan string, 1)
			address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					found <- err.Error()
					return
				}
				defer conn.Close()
				var inner net.Conn
				var layers []string
				for inner = range netconn.Layers(conn) {
					if secure, ok := inner.(*tls.Conn); ok {
						layers = append(layers, fmt.Sprintf("%T", secure.NetConn()))
					}
				}
				found <- strings.Join(append(layers, fmt.Sprintf("%T", inner)), " ")
			}), listener.Options{Trusted: trusted, ProxyProtocol: test.before != "", TLS: server})
			conn := dial(t, address)
			_, _ = io.WriteString(conn, test.before)
			if test.secure {
				conn = secured(t, conn, client)
			}
			_, _ = io.WriteString(conn, head("GET / HTTP/1.1", "Host: x"))
			if got := <-found; got != test.want {
				t.Errorf("the innermost connections are %s, want %s", got, test.want)
			}
		})
	}
}

// A port that requires TLS, such as one that checks client certificates, cannot
// be had without.
func TestTLSRequired(t *testing.T) {
	t.Parallel()
	config, client := certificates(t)
	address := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
	}), listener.Options{TLS: config, Plain: listener.TLSRequired()})
	for secure, want := range map[bool]string{false: "403", true: "200"} {
		conn := dial(t, address)
		if secure {
			conn = secured(t, conn, client)
		}
		_, _ = io.WriteString(conn, head("GET / HTTP/1.1", "Host: x", "X-Forwarded-Proto: https", "Connection: close"))
		if answer := waitClosed(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 "+want) || strings.Contains(answer, "secret") != secure {
			t.Errorf("TLS %t: answer %q", secure, answer)
		}
	}
}

// StopAccepting leaves what is open alone.
func TestStopAccepting(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := listener.Serve(inner, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "served")
	}), listener.Options{})
	defer s.Close(t.Context())
	if want := "http://" + inner.Addr().String(); s.URL() != want {
		t.Errorf("URL %s, want %s", s.URL(), want)
	}
	conn := dial(t, inner.Addr().String())
	reader := bufio.NewReader(conn)
	ask := func(line string) string {
		_, _ = io.WriteString(conn, head("GET / HTTP/1.1", "Host: x", line))
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		return string(text)
	}
	ask("X-A: b")
	s.StopAccepting()
	if late, err := net.Dial("tcp", inner.Addr().String()); err == nil {
		late.Close()
		t.Error("a connection after the end")
	}
	if answer := ask("Connection: close"); answer != "served" {
		t.Errorf("answer %q", answer)
	}
}

// networks reads address ranges.
func networks(t *testing.T, entries ...string) forwarded.Networks {
	t.Helper()
	var n forwarded.Networks
	for _, entry := range entries {
		network, err := forwarded.ParseNetwork(entry)
		if err != nil {
			t.Fatal(err)
		}
		n = append(n, network)
	}
	return n
}

// Close waits for a push that is being answered.
func TestCloseWaitsForPushes(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := inner.Addr().String()
	entered := make(chan struct{})
	var answered atomic.Bool
	s := listener.Serve(inner, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !dualport.HasWholeBody(r) {
			return
		}
		close(entered)
		for { // until the server is being closed
			conn, err := net.Dial("tcp", address)
			if err != nil {
				break
			}
			_ = conn.Close()
		}
		runtime.Gosched()
		answered.Store(true)
	}), listener.Options{})
	conn := dial(t, address)
	reader := bufio.NewReader(conn)
	for push := head("POST /dev/@connections/x HTTP/1.1", "Host: x", "Content-Length: 0"); ; {
		_, _ = io.WriteString(conn, push)
		read := make(chan error, 1)
		go func() {
			_, err := http.ReadResponse(reader, nil)
			read <- err
		}()
		select {
		case err := <-read: // net/http has answered: the first, and those that come too soon behind it
			if err != nil {
				t.Fatal(err)
			}
			continue
		case <-entered:
		}
		ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
		defer cancel()
		s.Close(ctx)
		if !answered.Load() {
			t.Error("closed before the answer")
		}
		if err := <-read; err != nil {
			t.Errorf("no answer: %v", err)
		}
		return
	}
}
