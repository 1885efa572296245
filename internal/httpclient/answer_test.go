package httpclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readWire reads an answer to a method from what a backend says before it
// closes the connection.
func readWire(wire io.Reader, method string) (response *Response, reusable bool, err error) {
	var p parser
	p.begin(method, true, []byte{})
	if reusable, err = p.answer(wire, make([]byte, 4<<10)); err != nil {
		return nil, false, err
	}
	return p.response(), reusable, nil
}

const ok = "HTTP/1.1 200 OK\r\n"

// TestAnswerForms reads what servers answer, in one piece, byte by byte, and in pieces
// of every other length.
func TestAnswerForms(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name, wire, method string
		status             int
		header, body       string
		reusable           bool
	}{
		{name: "length", wire: ok + "Content-Length: 2\r\n\r\nhi", status: 200, header: "Content-Length: 2", body: "hi", reusable: true},
		{name: "nothing", wire: ok + "content-LENGTH:0\r\n\r\n", status: 200, header: "Content-Length: 0", reusable: true},
		{name: "long", wire: ok + "Content-Length: 5000\r\nX: " + long + "\r\n\r\n" + long, status: 200, header: "Content-Length: 5000|X: " + long, body: long, reusable: true},
		{name: "no reason", wire: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", status: 200, header: "Content-Length: 0", reusable: true},
		{name: "unknown status", wire: "HTTP/1.1 599 \xff\r\nContent-Length: 0\r\n\r\n", status: 599, header: "Content-Length: 0", reusable: true},
		{name: "LF only", wire: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", status: 200, header: "Content-Length: 2", body: "hi", reusable: true},
		{name: "chunks", wire: ok + "Transfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", status: 200, body: "hi0123456789", reusable: true},
		{name: "long chunk", wire: ok + "Transfer-Encoding: chunked\r\n\r\n1388 \r\n" + long + "\r\n0\r\n\r\n", status: 200, body: long, reusable: true},
		{name: "trailer", wire: ok + "Transfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n1\r\nx\r\n0\r\nSum: 1\r\n\r\n", status: 200, body: "x", reusable: true},
		{name: "both", wire: ok + "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n1\r\nx\r\n0\r\n\r\n", status: 200, body: "x"},
		{name: "until the end", wire: ok + "\r\n" + long, status: 200, body: long},
		{name: "says that it closes", wire: ok + "Connection: x, Close\r\nContent-Length: 0\r\n\r\n", status: 200, header: "Content-Length: 0"},
		{name: "HTTP/1.0", wire: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", status: 200, header: "Content-Length: 0"},
		{name: "HTTP/1.0 that stays", wire: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", status: 200, header: "Connection: Keep-Alive|Content-Length: 0", reusable: true},
		{name: "no content", wire: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, reusable: true},
		{name: "not modified", wire: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", status: 304, header: "Content-Length: 7", reusable: true},
		{name: "HEAD", method: "HEAD", wire: ok + "Content-Length: 7\r\n\r\n", status: 200, header: "Content-Length: 7", reusable: true},
		{name: "HEAD in chunks", method: "HEAD", wire: ok + "Transfer-Encoding: chunked\r\n\r\n", status: 200, reusable: true},
		{name: "hints", wire: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", status: 200, header: "Content-Length: 2", body: "hi", reusable: true},
		{name: "repeated", wire: ok + "Set-Cookie:  a \r\nx-Y: \t\r\nset-cookie: b\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", status: 200, header: "Content-Length: 0|Set-Cookie: a|Set-Cookie: b|X-Y: ", reusable: true},
	} {
		for _, reader := range []io.Reader{strings.NewReader(test.wire), iotest.OneByteReader(strings.NewReader(test.wire))} {
			if test.method == "" {
				test.method = http.MethodPost
			}
			response, reusable, err := readWire(reader, test.method)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			header := strings.ReplaceAll(strings.TrimSuffix(written(response.Header), "\r\n"), "\r\n", "|")
			if response.Status != test.status || header != test.header || string(response.Body) != test.body || reusable != test.reusable {
				t.Errorf("%s: %d, %q, %q, reusable %v", test.name, response.Status, header, response.Body, reusable)
			}
			for length := 1; length <= min(len(test.wire), 64); length++ {
				again, rest, sameUse, err := inPieces([]byte(test.wire), length, test.method, true)
				if !reflect.DeepEqual(response, again) || rest > 0 || sameUse != reusable || err != nil {
					t.Errorf("%s in pieces of %d: %v, %v, %d bytes left, reusable %v", test.name, length, again, err, rest, sameUse)
				}
			}
		}
	}
}

func written(header http.Header) string {
	var b strings.Builder
	_ = header.Write(&b)
	return b.String()
}

func TestAnswerRefused(t *testing.T) {
	t.Parallel()
	chunked := ok + "Transfer-Encoding: chunked\r\n\r\n"
	for name, wire := range map[string]string{
		"nothing":                  "",
		"a part of a line":         "HTTP/1.1 200",
		"no end of the header":     ok + "X: y\r\n",
		"another protocol":         "SSH-2.0-nothing\r\n\r\n",
		"another version":          "HTTP/2.0 200 OK\r\n\r\n",
		"a short status":           "HTTP/1.1 20 OK\r\n\r\n",
		"a long status":            "HTTP/1.1 2000 OK\r\n\r\n",
		"a small status":           "HTTP/1.1 099 OK\r\n\r\n",
		"no status":                "HTTP/1.1 OK\r\n\r\n",
		"switched protocols":       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"space before a colon":     ok + "X : y\r\nContent-Length: 0\r\n\r\n",
		"no colon":                 ok + "X\r\nContent-Length: 0\r\n\r\n",
		"no name":                  ok + ": y\r\nContent-Length: 0\r\n\r\n",
		"a folded line":            ok + "X: y\r\n z\r\nContent-Length: 0\r\n\r\n",
		"a CR in a value":          ok + "X: y\rz\r\nContent-Length: 0\r\n\r\n",
		"a NUL in a value":         ok + "X: y\x00z\r\nContent-Length: 0\r\n\r\n",
		"a negative length":        ok + "Content-Length: -1\r\n\r\n",
		"a signed length":          ok + "Content-Length: +1\r\n\r\nx",
		"no length":                ok + "Content-Length:\r\n\r\n",
		"a status without a class": "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n",
		"the highest status":       "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n",
		"a huge length":            ok + "Content-Length: 99999999999999999999\r\n\r\n",
		"two lengths":              ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
		"a list of lengths":        ok + "Content-Length: 1, 1\r\n\r\nx",
		"too short":                ok + "Content-Length: 5\r\n\r\nhi",
		"gzip, chunked":            ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":            ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunked in HTTP/1.0":      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"no chunk":                 chunked,
		"no size":                  chunked + "\r\n\r\n",
		"no digits":                chunked + "x\r\n",
		"0x":                       chunked + "0x1\r\nx\r\n0\r\n\r\n",
		"a negative size":          chunked + "-1\r\nx\r\n0\r\n\r\n",
		"many digits":              chunked + "00000000000000001\r\nx\r\n0\r\n\r\n",
		"a size without CR":        chunked + "1\nx\r\n0\r\n\r\n",
		"a longer chunk":           chunked + "1\r\nxy\r\n0\r\n\r\n",
		"a shorter chunk":          chunked + "3\r\nxy\r\n0\r\n\r\n",
		"no last chunk":            chunked + "1\r\nx\r\n",
		"no end of chunks":         chunked + "1\r\nx\r\n0\r\n",
		"a bad trailer":            chunked + "1\r\nx\r\n0\r\nx\r\n\r\n",
		"a long trailer":           chunked + "0\r\nX: " + strings.Repeat("x", maxTrailer) + "\r\n\r\n",
		"a forbidden trailer":      ok + "Transfer-Encoding: chunked\r\nTrailer: x, content-length\r\n\r\n0\r\n\r\n",
		"a long extension":         chunked + "1;" + strings.Repeat("x", maxChunkLine) + "\r\nx\r\n0\r\n\r\n",
		"many extensions":          chunked + strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\nx\r\n", 20) + "0\r\n\r\n",
		"a large header":           ok + "X: " + strings.Repeat("x", maxAnswerHeader) + "\r\n\r\n",
		"endless hints":            strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", maxAnswerHeader/30),
	} {
		if response, _, err := readWire(strings.NewReader(wire), http.MethodPost); err == nil {
			t.Errorf("%s: %d %q", name, response.Status, response.Body)
		}
		if response, _, _, err := inPieces([]byte(wire), 1, http.MethodPost, true); err == nil {
			t.Errorf("%s, byte by byte: %d %q", name, response.Status, response.Body)
		}
	}
}

// Answers may have 10 MiB, however they say how long they are.
func TestAnswerSize(t *testing.T) {
	t.Parallel()
	for name, wire := range map[string]func(size int) (head, end string){
		"length": func(size int) (string, string) { return fmt.Sprintf("Content-Length: %d\r\n\r\n", size), "" },
		"chunk": func(size int) (string, string) {
			return fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", size), "\r\n0\r\n\r\n"
		},
		"until the end": func(int) (string, string) { return "\r\n", "" },
	} {
		for size, want := range map[int]error{MaxResponseBytes: nil, MaxResponseBytes + 1: ErrTooLarge} {
			head, end := wire(size)
			reader := io.MultiReader(strings.NewReader(ok+head), io.LimitReader(zeros{}, int64(size)), strings.NewReader(end))
			response, _, err := readWire(reader, http.MethodGet)
			if !errors.Is(err, want) || err == nil && len(response.Body) != size {
				t.Errorf("%s of %d bytes: %v", name, size, err)
			}
		}
	}
	huge := ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"
	if _, _, err := readWire(strings.NewReader(huge), http.MethodGet); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// FuzzAnswer holds our reader against net/http's: what ours accepts is what
// that reads, of which it leaves the same rest.
func FuzzAnswer(f *testing.F) {
	for _, rest := range []string{
		"Content-Length: 2\r\nContent-Type: text/plain\r\n\r\nhi",
		"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1;a=b\r\nx\r\n0\r\nX: y\r\n\r\n",
		"Transfer-Encoding: chunked\r\nContent-Length: 1\r\nConnection: close, x\r\n\r\n0\r\n\r\n",
		"Pragma: no-cache\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"Connection: keep-alive\nx-: y\n\nuntil the end",
	} {
		f.Add([]byte(ok+rest), 0, false)
		f.Add([]byte("HTTP/1.0 304 Not Modified\r\n"+rest), 1, true)
		f.Add([]byte("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 500 \r\n"+rest), 7, false)
	}
	f.Fuzz(func(t *testing.T, wire []byte, piece int, head bool) {
		method := http.MethodPost
		if head {
			method = http.MethodHead
		}
		got, rest, reusable, err := inPieces(wire, piece, method, true)
		if whole, _, _, other := inPieces(wire, 0, method, true); cmp.Diff(whole, got) != "" || (err == nil) != (other == nil) {
			t.Fatalf("%q: in pieces of %d bytes: %v, %v; in one: %v, %v", wire, piece, got, err, whole, other)
		}
		if err != nil {
			return
		}
		other := bufio.NewReaderSize(bytes.NewReader(wire), maxAnswerHeader)
		want, closes, err := readByNetHTTP(other, method)
		if err != nil {
			t.Fatalf("%q: net/http refuses it: %v", wire, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: -net/http +ours\n%s", wire, diff)
		}
		left, _ := io.Copy(io.Discard, other)
		if reusable && closes || int64(rest) != left {
			t.Fatalf("%q: reusable %v, %d bytes left; net/http closes %v, %d left", wire, reusable, rest, closes, left)
		}
		if short, _, _, err := inPieces(wire, piece, method, false); err != nil || short.Header != nil || !bytes.Equal(short.Body, got.Body) {
			t.Fatalf("%q: without its header: %v", wire, err)
		}
	})
}

// inPieces has a backend's bytes parsed in pieces of a length, or in one, until the
// answer is whole or the backend closes the connection. The rest is how many bytes
// come behind the answer.
func inPieces(wire []byte, length int, method string, withHeader bool) (response *Response, rest int, reusable bool, err error) {
	if length <= 0 {
		length = max(len(wire), 1)
	}
	var p parser
	p.begin(method, withHeader, []byte{})
	for len(wire) > 0 {
		piece := bytes.Clone(wire[:min(length, len(wire))]) // what is kept of it would show
		wire = wire[len(piece):]
		behind, whole, err := p.feed(piece)
		if err != nil {
			return nil, 0, false, err
		}
		clear(piece[:len(piece)-len(behind)])
		if whole {
			return p.response(), len(behind) + len(wire), p.reusable(), nil
		}
	}
	if err := p.end(); err != nil {
		return nil, 0, false, err
	}
	return p.response(), 0, p.reusable(), nil
}

// readByNetHTTP reads an answer as net/http does.
func readByNetHTTP(r *bufio.Reader, method string) (response *Response, closes bool, err error) {
	for {
		answer, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return nil, false, err
		}
		if answer.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, false, err
		}
		return &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}, answer.Close, nil
	}
}
