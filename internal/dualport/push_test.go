package dualport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/pushserver"
)

// script is a connection whose client sends pieces, each when the server has no more
// to do, and then nothing more. It keeps what it is answered.
type script struct {
	mu     sync.Mutex // guards what follows
	late   *sync.Cond // the deadline of reading has passed, or not any more
	passed bool
	begun  bool // the first piece has been read in part
	pieces [][]byte
	answer bytes.Buffer

	closed chan struct{} // when the server has closed it
	once   sync.Once
}

func newScript(pieces ...[]byte) *script {
	s := &script{pieces: slices.DeleteFunc(pieces, func(p []byte) bool { return len(p) == 0 }), closed: make(chan struct{})}
	s.late = sync.NewCond(&s.mu)
	return s
}

func (s *script) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// net/http reads a byte while the handler runs, and gives up when it has answered.
	for len(p) == 1 && !s.begun && !s.passed {
		s.late.Wait()
	}
	switch {
	case s.passed:
		return 0, os.ErrDeadlineExceeded
	case len(s.pieces) == 0:
		return 0, io.EOF
	}
	n := copy(p, s.pieces[0])
	s.pieces[0] = s.pieces[0][n:]
	if s.begun = len(s.pieces[0]) > 0; !s.begun {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answer.Write(p)
}

func (s *script) Close() error {
	_ = s.SetReadDeadline(time.Unix(1, 0))
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *script) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }
func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 4711} }
func (s *script) SetDeadline(time.Time) error      { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

func (s *script) SetReadDeadline(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed = !at.IsZero() && at.Before(time.Now())
	s.late.Broadcast()
	return nil
}

// scripts accepts scripts.
type scripts chan net.Conn

func (l scripts) Accept() (net.Conn, error) {
	conn, open := <-l
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (l scripts) Close() error   { return nil }
func (l scripts) Addr() net.Addr { return &net.TCPAddr{} }

// rival answers the same with a server of this package, and with net/http alone.
type rival struct {
	attached, plain scripts
	pushes          atomic.Int64 // requests that package pushserver answered
}

func newRival(t testing.TB) *rival {
	t.Helper()
	r := &rival{attached: make(scripts), plain: make(scripts)}
	var serving sync.WaitGroup
	var servers []*http.Server
	serve := func(listener net.Listener, attach bool) {
		server := &http.Server{
			Handler: http.HandlerFunc(r.tell), ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute,
			MaxHeaderBytes: 32 << 10, ErrorLog: log.New(io.Discard, "", 0),
		}
		if attach {
			Attach(server, time.Minute)
		}
		servers = append(servers, server)
		serving.Go(func() { _ = server.Serve(listener) })
	}
	serve(NewListener(r.attached, nil), true)
	serve(r.plain, false)
	t.Cleanup(func() {
		close(r.attached)
		close(r.plain)
		for _, server := range servers {
			_ = server.Close()
		}
		serving.Wait()
	})
	return r
}

// tell answers with all that it has seen of a request, in the way that the request's
// own header asks for.
func (r *rival) tell(w http.ResponseWriter, q *http.Request) {
	if pushserver.HeadOf(q) != nil {
		r.pushes.Add(1)
	}
	body, err := io.ReadAll(q.Body)
	seen, _ := httputil.DumpRequest(q, false)
	seen = fmt.Appendf(seen, "%q %q %q %d %q %v %v %q %d.%d %v\n%s", q.RequestURI, q.URL.Path, q.URL.EscapedPath(), q.ContentLength, q.RemoteAddr,
		q.TLS, q.Close, q.TransferEncoding, q.ProtoMajor, q.ProtoMinor, err, body)
	header := w.Header()
	switch q.Header.Get("X-Way") {
	case "length":
		header.Set("Content-Length", strconv.Itoa(len(seen)))
		header.Set("Content-Type", "application/json")
	case "wrong-length":
		header.Set("Content-Length", "100000")
	case "bad-length":
		header.Set("Content-Length", "x")
	case "short-length":
		header.Set("Content-Length", "5")
	case "large":
		seen = bytes.Repeat(seen, 100)
	case "pieces":
		for piece := range slices.Chunk(bytes.Repeat(seen, 9), 1000) {
			_, _ = w.Write(piece)
		}
	case "nothing":
		return
	case "empty":
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	case "none":
		w.WriteHeader(http.StatusNoContent)
	case "unchanged":
		header.Set("Content-Type", "text/plain")
		header.Set("Content-Length", "3")
		w.WriteHeader(http.StatusNotModified)
	case "strange":
		header["x y"], header["x-lower"] = []string{"z"}, []string{" a\r\nb ", "c"}
		header.Set("Date", "today")
		w.WriteHeader(599)
		header.Set("X-Late", "1")
		w.WriteHeader(500)
	case "close":
		header.Set("Connection", "close")
	case "encoded":
		header.Set("Content-Encoding", "x")
	case "panic":
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(seen)
}

var date = regexp.MustCompile(`(?m)^Date: .* GMT\r$`)

// answers sends the same to both servers, and returns what they answer.
func (r *rival) answers(pieces ...[]byte) (attached, plain string) {
	var list [2]string
	for i, listener := range []scripts{r.attached, r.plain} {
		copied := make([][]byte, len(pieces))
		for j, piece := range pieces {
			copied[j] = slices.Clone(piece)
		}
		s := newScript(copied...)
		listener <- s
		<-s.closed
		s.mu.Lock()
		list[i] = date.ReplaceAllString(s.answer.String(), "Date: today\r")
		s.mu.Unlock()
	}
	return list[0], list[1]
}

const target = "/prod/@connections/AbC%3D"

// push is a request that is answered by package pushserver.
func push(body string, lines ...string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: %d\r\n%s\r\n%s", target, len(body), strings.Join(lines, ""), body)
}

// pushTests are what a client sends behind a first request, and how many of these
// requests package pushserver answers.
var pushTests = []struct {
	name   string
	pieces []string
	pushes int64
}{
	{"a push", []string{string(push("hello"))}, 1},
	{"no body", []string{string(push(""))}, 1},
	{"many lines", []string{string(push("hello", "user-agent: x/1\r\n", "x-amz-date:  20260101T000000Z \r\n", "X-Empty:\r\n", "X-Twice: a\r\n", "x-twice: b\r\n", "Connection: Keep-Alive\r\n"))}, 1},
	{"all pushes", []string{string(push("1")), string(push("2")), string(push("3"))}, 3},
	{"pipelined", []string{string(push("1")) + string(push("2", "X-Way: length\r\n")) + string(push("3"))}, 3},
	{"byte by byte", strings.Split(string(push("hello")), ""), 1},
	{"the body later", []string{strings.TrimSuffix(string(push("hello")), "hello"), "hel", "lo"}, 1},
	{"blank lines between", []string{string(push("1")), "\r\n" + string(push("2")), "\r\n", "\n" + string(push("3")), "\r\n\r\n" + string(push("4"))}, 4},
	{"too many blank lines", []string{string(push("1")), "\r\n\r\n\r\n" + string(push("2"))}, 1},
	{"a blank line before", []string{"\r\n" + string(push("1"))}, 1},
	{"GET between", []string{string(push("1")), "GET / HTTP/1.1\r\nHost: x\r\n\r\n", string(push("2")), string(push("3"))}, 2},
	{"GET pipelined", []string{string(push("1")) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + string(push("2")), string(push("3"))}, 2},
	{"half a push behind GET", []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST " + target, string(push(""))[len("POST "+target):], string(push("3"))}, 1},
	{"blank lines and half a request", []string{string(push("1")), "\r", "\n80"}, 1},
	{"a blank line behind GET", []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n", string(push("1"))}, 0},
	{"elsewhere", []string{"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", string(push("1"))}, 1},
	{"chunked", []string{"POST " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", string(push("1"))}, 1},
	{"chunked and a length", []string{string(push("0\r\n\r\n", "Transfer-Encoding: chunked\r\n")), string(push("1"))}, 1},
	{"two lengths", []string{string(push("hello", "Content-Length: 5\r\n")), string(push("1"))}, 1},
	{"two other lengths", []string{string(push("hello", "Content-Length: 4\r\n"))}, 0},
	{"a length with a sign", []string{"POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\nab"}, 0},
	{"lengths in a line", []string{"POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n\r\nab"}, 0},
	{"no length", []string{"POST " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"}, 0},
	{"a large length", []string{"POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"}, 0},
	{"a large body", []string{string(push(strings.Repeat("x", 20000))), string(push("1"))}, 1},
	{"a body cut off", []string{string(push("hello"))[:len(push("hello"))-2]}, 0},
	{"a head cut off", []string{string(push("hello"))[:40]}, 0},
	{"HTTP/1.0", []string{"POST " + target + " HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab", string(push("1"))}, 1},
	{"no host", []string{"POST " + target + " HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"}, 0},
	{"two hosts", []string{string(push("hello", "Host: other\r\n"))}, 0},
	{"an empty host", []string{"POST " + target + " HTTP/1.1\r\nHost:\r\nContent-Length: 2\r\n\r\nab"}, 0},
	{"a whole URL", []string{"POST http://localhost:8080" + target + " HTTP/1.1\r\nHost: localhost:8080\r\nContent-Length: 2\r\n\r\nab"}, 0},
	{"a query", []string{"POST " + target + "?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"}, 0},
	{"a bad escape", []string{"POST " + target + "%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"}, 0},
	{"an escaped name", []string{"POST /prod/%40connections/AbC= HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"}, 1},
	{"two slashes", []string{"POST //x/@connections/AbC= HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"}, 1},
	{"expects", []string{string(push("hello", "Expect: 100-continue\r\n")), string(push("1"))}, 1},
	{"expects something else", []string{string(push("hello", "Expect: x\r\n"))}, 0},
	{"upgrades", []string{string(push("hello", "Upgrade: websocket\r\n", "Connection: upgrade\r\n")), string(push("1"))}, 1},
	{"closes", []string{string(push("hello", "Connection: close\r\n")), string(push("1"))}, 0},
	{"pragma", []string{string(push("hello", "Pragma: no-cache\r\n")), string(push("1"))}, 1},
	{"a folded line", []string{string(push("hello", "X-A: b\r\n c\r\n"))}, 0},
	{"bare line feeds", []string{strings.ReplaceAll(string(push("hello")), "\r\n", "\n"), string(push("1"))}, 1},
	{"a bare carriage return", []string{string(push("hello", "X-A: b\rc\r\n"))}, 0},
	{"a space before the colon", []string{string(push("hello", "X-A : b\r\n"))}, 0},
	{"no colon", []string{string(push("hello", "X-A\r\n"))}, 0},
	{"no name", []string{string(push("hello", ": b\r\n"))}, 0},
	{"a NUL", []string{string(push("hello", "X-A: \x00\r\n"))}, 0},
	{"not ASCII", []string{string(push("hello", "X-A: ü\r\n")), string(push("1"))}, 1},
	{"a large head", []string{string(push("hello", "X-A: "+strings.Repeat("x", 5000)+"\r\n")), string(push("1"))}, 1},
	{"a head too large", []string{string(push("hello", "X-A: "+strings.Repeat("x", 50000)+"\r\n"))}, 0},
	{"answered with a length", []string{string(push("hello", "X-Way: length\r\n")), string(push("1"))}, 2},
	{"answered with too little", []string{string(push("hello", "X-Way: wrong-length\r\n")), string(push("1"))}, 1},
	{"answered with no length", []string{string(push("hello", "X-Way: bad-length\r\n")), string(push("1"))}, 2},
	{"answered with too much", []string{string(push("hello", "X-Way: short-length\r\n")), string(push("1"))}, 1},
	{"answered at length", []string{string(push("hello", "X-Way: large\r\n")), string(push("1"))}, 2},
	{"answered in pieces", []string{string(push("hello", "X-Way: pieces\r\n")), string(push("1"))}, 2},
	{"answered with nothing", []string{string(push("hello", "X-Way: nothing\r\n")), string(push("1"))}, 2},
	{"answered with a status", []string{string(push("hello", "X-Way: empty\r\n")), string(push("1"))}, 2},
	{"answered without a body", []string{string(push("hello", "X-Way: none\r\n")), string(push("1"))}, 2},
	{"answered that it has not changed", []string{string(push("hello", "X-Way: unchanged\r\n")), string(push("1"))}, 2},
	{"answered in a strange way", []string{string(push("hello", "X-Way: strange\r\n")), string(push("1"))}, 2},
	{"answered and closed", []string{string(push("hello", "X-Way: close\r\n")), string(push("1"))}, 1},
	{"answered in an encoding", []string{string(push("hello", "X-Way: encoded\r\n")), string(push("1"))}, 2},
	{"not answered", []string{string(push("hello", "X-Way: panic\r\n")), string(push("1"))}, 1},
	{"TLS", []string{"\x16\x03\x01\x00\x05hello"}, 0},
	{"garbage", []string{"\x00\x01\x02\r\n\r\n"}, 0},
}

// What a client sees is the same with and without package pushserver.
func TestPushes(t *testing.T) {
	t.Parallel()
	r := newRival(t)
	for _, test := range pushTests {
		pieces := [][]byte{push("first")}
		for _, piece := range test.pieces {
			pieces = append(pieces, []byte(piece))
		}
		before := r.pushes.Load()
		got, want := r.answers(pieces...)
		if got != want {
			t.Errorf("%s: answered\n%s\nnet/http answers\n%s", test.name, got, want)
		}
		if n := r.pushes.Load() - before; n != test.pushes {
			t.Errorf("%s: %d pushes, want %d", test.name, n, test.pushes)
		}
	}
	if _, plain := r.answers(push("first")); strings.Count(plain, "HTTP/1.1 200 OK") != 1 {
		t.Errorf("the first request is answered %q", plain)
	}
}

// The same for anything that a client sends, cut anywhere.
func FuzzPushes(f *testing.F) {
	for _, test := range pushTests {
		f.Add([]byte(strings.Join(test.pieces, "")), uint16(len(test.pieces[0])), uint16(30))
	}
	r := newRival(f)
	f.Fuzz(func(t *testing.T, sent []byte, first, second uint16) {
		cut := func(at uint16) (begin []byte) {
			n := min(int(at), len(sent))
			begin, sent = sent[:n], sent[n:]
			return begin
		}
		whole := slices.Clone(sent)
		got, want := r.answers(push("first"), cut(first), cut(second), sent)
		if got != want {
			t.Errorf("%q (%d, %d) is answered\n%s\nby net/http\n%s", whole, first, second, got, want)
		}
	})
}

// Neither a client that is silent after a push nor one that does not go on with one
// keeps its connection.
func TestPushesStop(t *testing.T) {
	t.Parallel()
	server := &http.Server{
		Handler:           http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, // time enough for this test to send
	}
	address := serveAttached(t, server)
	for name, rest := range map[string]string{
		"silent": "", "in a blank line": "\r\n", "in the head": "POST /@connections/x HTTP/1.1\r\nHost: x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
			for _, sent := range []string{string(push("1")), string(push("2")) + rest} {
				if _, err := io.WriteString(conn, sent); err != nil {
					t.Fatal(err)
				}
				if n, err := conn.Read(make([]byte, 4096)); n == 0 {
					t.Fatalf("not answered: %v", err)
				}
			}
			if answer, err := io.ReadAll(conn); err != nil || len(answer) > 0 {
				t.Errorf("answered %q %v", answer, err)
			}
		})
	}
}

// serveAttached serves until the end of the test, and returns the address.
func serveAttached(t *testing.T, server *http.Server) string {
	t.Helper()
	Attach(server, time.Minute)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(NewListener(inner, nil)) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return inner.Addr().String()
}
