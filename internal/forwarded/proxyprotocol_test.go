package forwarded

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const timeout = time.Minute

// serve answers requests with the addresses of their connection, behind a
// listener that trusts the given networks.
func serve(t *testing.T, trusted Networks, headerTimeout time.Duration) string {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: timeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := Of(r)
		_, _ = io.WriteString(w, origin.Address+" "+origin.Port+" "+r.RemoteAddr)
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(Listen(inner, trusted, headerTimeout))
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return inner.Addr().String()
}

// exchange sends parts, each in a segment of its own, and returns the answer.
func exchange(t *testing.T, address string, parts ...string) (status, body string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(timeout))
	for _, part := range parts {
		if _, err := io.WriteString(conn, part); err != nil {
			return "closed", ""
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "closed", ""
	}
	text, _ := io.ReadAll(response.Body)
	return response.Status, string(text)
}

const (
	request   = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	// 203.0.113.9:5000 to 192.0.2.1:443
	version2 = signature + "\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x13\x88\x01\xbb"
)

func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	address := serve(t, networks(t, "127.0.0.0/8"), timeout)
	_, port, _ := net.SplitHostPort(address)
	local := "127.0.0.1 " + port + " 127.0.0.1:"
	const client = "203.0.113.9 443 203.0.113.9:5000"
	version1 := "PROXY TCP4 203.0.113.9 192.0.2.1 5000 443\r\n"
	tests := []struct {
		name  string
		parts []string
		want  string // what the answer begins with; "closed"
	}{
		{"version 1", []string{version1 + request}, client},
		{"version 1 in pieces", []string{version1[:3], version1[3:20], version1[20:], request}, client},
		{"version 1, IPv6", []string{"PROXY TCP6 2001:db8::9 2001:db8::1 5000 443\r\n" + request}, "2001:db8::9 443 [2001:db8::9]:5000"},
		{"version 1, unknown", []string{"PROXY UNKNOWN\r\n" + request}, local},
		{"version 2", []string{version2 + request}, client},
		{"version 2 in pieces", []string{version2[:5], version2[5:14], version2[14:20], version2[20:] + request[:5], request[5:]}, client},
		{"version 2, of the proxy itself", []string{signature + "\x20\x00\x00\x00" + request}, local},
		{"version 2 with extensions", []string{signature + "\x21\x11\x00\x10\xcb\x00\x71\x09\xc0\x00\x02\x01\x13\x88\x01\xbb\x04\x00\x01\x00" + request}, client},
		{"none", []string{request}, "closed"},
		{"garbage", []string{"PROXY TCP4 here there 1 2\r\n" + request}, "closed"},
		{"a line that does not end", []string{"PROXY " + strings.Repeat("x", 5000)}, "closed"},
		{"half a signature", []string{signature[:8] + request}, "closed"},
		{"a family that does not exist", []string{signature + "\x21\x13\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x13\x88\x01\xbb" + request}, "closed"},
		{"a datagram", []string{signature + "\x21\x12\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x13\x88\x01\xbb" + request}, local},
		{"longer than may be", []string{signature + "\x21\x11\xff\xff" + strings.Repeat("x", 1<<16) + request}, "closed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, body := exchange(t, address, test.parts...)
			if test.want == "closed" {
				if status != "closed" {
					t.Errorf("answer %s %q", status, body)
				}
				return
			}
			if !strings.HasPrefix(body, test.want) {
				t.Errorf("answer %s %q, want %q", status, body, test.want)
			}
		})
	}
}

// A header from elsewhere is not believed, and not taken for a request either.
func TestProxyProtocolOfStrangers(t *testing.T) {
	t.Parallel()
	address := serve(t, networks(t, "192.0.2.0/24"), timeout)
	for _, header := range []string{"PROXY TCP4 203.0.113.9 192.0.2.1 5000 443\r\n", version2} {
		if status, body := exchange(t, address, header+request); status != "400 Bad Request" {
			t.Errorf("%q: %s %q", header, status, body)
		}
	}
	if _, body := exchange(t, address, request); !strings.HasPrefix(body, "127.0.0.1 ") {
		t.Errorf("answer %q", body)
	}
}

// A proxy that is silent holds up nobody, and is dropped.
func TestProxyProtocolTimeout(t *testing.T) {
	t.Parallel()
	address := serve(t, networks(t, "127.0.0.0/8"), time.Millisecond)
	for _, beginning := range []string{"", "PROXY", version2[:14]} {
		if status, _ := exchange(t, address, beginning); status != "closed" {
			t.Errorf("after %q: %s", beginning, status)
		}
	}
}

// What is behind the header is read before the connection is unwrapped.
func TestNetConn(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	c := &conn{Conn: far, timeout: timeout}
	defer c.Close()
	go func() { _, _ = io.WriteString(near, version2+"hello") }()
	if c.RemoteAddr().String() != "203.0.113.9:5000" || c.LocalAddr().String() != "192.0.2.1:443" {
		t.Errorf("%v %v", c.RemoteAddr(), c.LocalAddr())
	}
	if c.NetConn() != net.Conn(c) {
		t.Error("unwrapping would lose what was read")
	}
	text := make([]byte, 5)
	if _, err := io.ReadFull(c, text); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	if c.NetConn() != far {
		t.Error("nothing is left to hold on to")
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte(version2 + request))
	f.Add([]byte("PROXY TCP4 203.0.113.9 192.0.2.1 5000 443\r\n" + request))
	f.Add([]byte("PROXY UNKNOWN x\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		near, far := net.Pipe()
		c := &conn{Conn: far, timeout: timeout}
		go func() {
			_, _ = near.Write(stream)
			_ = near.Close()
		}()
		if c.RemoteAddr() == nil || c.LocalAddr() == nil {
			t.Error("no address")
		}
		_ = c.RemoteAddr().String()
		_, _ = io.Copy(io.Discard, c)
		_ = c.Close()
	})
}
