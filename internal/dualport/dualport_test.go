package dualport

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server that answers with the header lines it saw.
type fixture struct {
	*testing.T
	addr   string
	client *tls.Config
}

func start(t *testing.T, handler http.HandlerFunc) *fixture {
	t.Helper()
	t.Parallel()
	// httptest makes the certificate and a client that trusts it.
	certified := httptest.NewTLSServer(nil)
	client := certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	client.ServerName = "example.com"
	config := &tls.Config{Certificates: certified.TLS.Certificates}
	certified.Close()

	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	Attach(srv, 0)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(NewListener(inner, config)) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	})
	return &fixture{t, inner.Addr().String(), client}
}

// echo answers with the request line, whether it came by TLS, the size of the
// body, and each header line.
func echo(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	fmt.Fprintf(w, "%s %s tls=%t/%t body=%d", r.Method, r.RequestURI, r.TLS != nil, FromRequest(r).IsTLS(), n)
	for _, field := range Header(r) {
		fmt.Fprintf(w, "|%s=%s", field.Name, field.Value)
	}
}

func (f *fixture) dial() net.Conn {
	f.Helper()
	conn, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		f.Fatal(err)
	}
	return conn
}

func (f *fixture) dialTLS() net.Conn { return tls.Client(f.dial(), f.client) }

func (f *fixture) write(conn net.Conn, text string) {
	f.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) wantAnswer(reader *bufio.Reader, want string) {
	f.Helper()
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		f.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.Fatal(err)
	}
	if diff := cmp.Diff(want, string(body)); diff != "" {
		f.Errorf("(-want +got)\n%s", diff)
	}
}

const oddHead = "GET /odd HTTP/1.1\r\nHOST: here\r\nx-LOWER: a\r\nX-lower: b\r\nX-Folded: one\r\n\ttwo \r\n  three\r\nAuthorization:  \r\nx_under: é:c\r\n\r\n"
const oddFields = "|HOST=here|x-LOWER=a|X-lower=b|X-Folded=one two three|Authorization=|x_under=é:c"

func TestHeaderLinesAreAsWritten(t *testing.T) {
	f := start(t, echo)
	for secure, conn := range map[bool]net.Conn{false: f.dial(), true: f.dialTLS()} {
		f.write(conn, oddHead)
		f.wantAnswer(bufio.NewReader(conn), fmt.Sprintf("GET /odd tls=%t/%t body=0", secure, secure)+oddFields)
	}
}

func TestByteAtATime(t *testing.T) {
	f := start(t, echo)
	for secure, conn := range map[bool]net.Conn{false: f.dial(), true: f.dialTLS()} {
		for _, b := range []byte(oddHead) {
			f.write(conn, string([]byte{b}))
		}
		f.wantAnswer(bufio.NewReader(conn), fmt.Sprintf("GET /odd tls=%t/%t body=0", secure, secure)+oddFields)
	}
}

// A TLS client whose records come a byte at a time is served too.
func TestHandshakeByteAtATime(t *testing.T) {
	f := start(t, echo)
	conn := tls.Client(dribble{f.dial()}, f.client)
	f.write(conn, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
	f.wantAnswer(bufio.NewReader(conn), "GET / tls=true/true body=0|host=x")
}

type dribble struct{ net.Conn }

func (d dribble) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

var sequence = []struct{ request, want string }{
	{"GET /1 HTTP/1.1\r\nhost: x\r\na: 1\r\n\r\n", "GET /1 tls=false/false body=0|host=x|a=1"},
	{"POST /2 HTTP/1.1\r\nhost: x\r\nCONTENT-length: 5\r\nb: 2\r\n\r\nGET /", "POST /2 tls=false/false body=5|host=x|CONTENT-length=5|b=2"},
	{"POST /3 HTTP/1.1\r\nhost: x\r\ntransfer-ENCODING: chunked\r\n\r\n3;ext=1\r\nabc\r\nA\r\n0\r\n\r\nGET /\r\n0\r\ntrailer: t\r\n\r\n", "POST /3 tls=false/false body=13|host=x|transfer-ENCODING=chunked"},
	{"\r\nGET /4 HTTP/1.1\nhost: x\nc: 3\n\n", "GET /4 tls=false/false body=0|host=x|c=3"}, // after a POST a blank line is tolerated
	{"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", ""}, // net/http answers it by itself
	{"GET /5 HTTP/1.1\r\nhost: x\r\n\r\n", "GET /5 tls=false/false body=0|host=x"},
	{"PUT /6 HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n" + strings.Repeat("\r\n\r\n", 50000), "PUT /6 tls=false/false body=200000|host=x|content-length=200000"},
	{"GET /7 HTTP/1.1\r\nhost: x\r\nd: 4\r\n\r\n", "GET /7 tls=false/false body=0|host=x|d=4"},
}

func TestKeepAlive(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	reader := bufio.NewReader(conn)
	for _, step := range sequence {
		f.write(conn, step.request)
		f.wantAnswer(reader, step.want)
	}
}

func TestPipelining(t *testing.T) {
	f := start(t, echo)
	conn := f.dial()
	written := make(chan struct{})
	go func() {
		defer close(written)
		for _, step := range sequence {
			io.WriteString(conn, step.request)
		}
	}()
	reader := bufio.NewReader(conn)
	for _, step := range sequence {
		f.wantAnswer(reader, step.want)
	}
	<-written
}

// A body that the handler leaves is skipped by net/http and by the record.
func TestUnreadBody(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, Header(r)) })
	conn := f.dial()
	reader := bufio.NewReader(conn)
	for range 3 {
		f.write(conn, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 70000\r\n\r\n"+strings.Repeat("x", 70000))
		f.wantAnswer(reader, "[{host x} {content-length 70000}]")
	}
}

// A head that is too large to record falls back to canonical names, and the
// next one is recorded again.
func TestLargeHead(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		for _, field := range Header(r) {
			fmt.Fprintf(w, "%s:%d ", field.Name, len(field.Value))
		}
	})
	conn := f.dial()
	reader := bufio.NewReader(conn)
	for _, large := range []string{
		"b-large: " + strings.Repeat("x", 100<<10) + "\r\n",
		strings.Repeat("b-large: "+strings.Repeat("x", 1000)+"\r\n", 100),
	} {
		f.write(conn, "POST / HTTP/1.1\r\n"+large+"hOST: xy\r\ncontent-length: 4\r\n\r\nbody")
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if !strings.HasPrefix(string(body), "Host:2 B-Large:") || !strings.HasSuffix(string(body), "Content-Length:1 ") {
			t.Errorf("got %.80s", body)
		}
		f.write(conn, "GET / HTTP/1.1\r\nhOST: xy\r\n\r\n")
		f.wantAnswer(reader, "hOST:2 ")
	}
}

func TestFallbackWithoutAttach(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["B"] = []string{"2", "3"}
	r.Header["A"] = []string{"1"}
	want := []Field{{"Host", "example.com"}, {"A", "1"}, {"B", "2"}, {"B", "3"}}
	if diff := cmp.Diff(want, Header(r)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if FromRequest(r) != nil {
		t.Error("a connection out of nothing")
	}
}

// Accept does not wait for a client to say something.
func TestSilentClientsHoldUpNobody(t *testing.T) {
	f := start(t, echo)
	for range 20 {
		f.dial()
	}
	conn := f.dial()
	f.write(conn, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
	f.wantAnswer(bufio.NewReader(conn), "GET / tls=false/false body=0|host=x")
}

func TestHijack(t *testing.T) {
	f := start(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		c := conn.(*Conn)
		_, plain := c.NetConn().(*net.TCPConn)
		_, secure := c.NetConn().(*tls.Conn)
		fmt.Fprintf(c.NetConn(), "HTTP/1.0 200 OK\r\n\r\nplain=%t secure=%t recording=%t %v", plain, secure, c.recorder.Load() != nil, Header(r))
	})
	for conn, want := range map[net.Conn]string{
		f.dial():    "plain=true secure=false recording=false [{host x}]",
		f.dialTLS(): "plain=false secure=true recording=false [{host x}]",
	} {
		f.write(conn, "GET / HTTP/1.1\r\nhost: x\r\n\r\n")
		f.wantAnswer(bufio.NewReader(conn), want)
	}
}

// The server's own time limit ends a client that begins a handshake and stops.
func TestHeaderTimeoutCoversTheHandshake(t *testing.T) {
	t.Parallel()
	certified := httptest.NewTLSServer(nil)
	config := &tls.Config{Certificates: certified.TLS.Certificates}
	certified.Close()
	for _, beginning := range []string{"", "\x16", "\x16\x03\x01\x02\x00", "GET / HTTP/1.1\r\n"} {
		near, far := net.Pipe()
		srv := &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: time.Millisecond}
		Attach(srv, 0)
		queue := &onePipe{conn: NewConn(far, nil, config), done: make(chan struct{})}
		served := make(chan struct{})
		go func() { srv.Serve(queue); close(served) }()
		go io.WriteString(near, beginning)
		if _, err := io.Copy(io.Discard, near); err != nil {
			t.Error(err)
		}
		srv.Close()
		<-served
		near.Close()
	}
}

// onePipe is a listener of one connection.
type onePipe struct {
	conn net.Conn
	done chan struct{}
}

func (o *onePipe) Accept() (net.Conn, error) {
	if conn := o.conn; conn != nil {
		o.conn = nil
		return conn, nil
	}
	<-o.done
	return nil, net.ErrClosed
}
func (o *onePipe) Close() error   { close(o.done); return nil }
func (o *onePipe) Addr() net.Addr { return &net.TCPAddr{} }

func TestPrefix(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	conn := NewConn(far, []byte("hello "), nil)
	defer conn.Close()
	if conn.NetConn() != net.Conn(conn) {
		t.Error("NetConn would lose the prefix")
	}
	go func() { io.WriteString(near, "world"); near.Close() }()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "hello world" {
		t.Errorf("got %q, %v", got, err)
	}
	if conn.NetConn() != far {
		t.Error("NetConn is not the connection itself")
	}
}

// FuzzRecorder: however the bytes are cut, what net/http reads as requests is
// what the recorder keeps.
func FuzzRecorder(f *testing.F) {
	var all string
	for _, step := range sequence[:6] {
		all += step.request
	}
	f.Add(all, uint(1))
	f.Add(oddHead, uint(7))
	f.Add("POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n-1\r\n", uint(2))
	f.Fuzz(func(t *testing.T, stream string, cut uint) {
		step := int(cut%4096) + 1
		r := new(recorder)
		for rest := stream; rest != ""; {
			n := min(step, len(rest))
			r.feed([]byte(rest[:n]))
			rest = rest[n:]
		}
		reader := bufio.NewReader(strings.NewReader(stream))
		for {
			request, err := http.ReadRequest(reader)
			if err != nil || request.ProtoMajor != 1 || request.ProtoMinor != 1 {
				return
			}
			head, found := r.take(request.Method, request.RequestURI)
			if _, err := io.Copy(io.Discard, request.Body); err != nil || !found {
				return
			}
			for field := range fieldsOf(head) {
				name := http.CanonicalHeaderKey(field.Name)
				switch name {
				case "Host", "Transfer-Encoding", "Trailer", "Content-Length", "Pragma", "Cache-Control", "Connection":
					continue // net/http moves or completes these
				}
				same := func(value string) bool { // blank folds leave spaces in net/http's values
					return slices.Equal(strings.Fields(value), strings.Fields(field.Value))
				}
				if !slices.ContainsFunc(request.Header[name], same) {
					t.Errorf("recorded %q, net/http has %q", field, request.Header[name])
				}
			}
		}
	})
}
