package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/webguard"
)

const (
	maxHeader     = 64 << 10         // bytes of a request without its body
	headerTime    = 10 * time.Second // for the rest of a header that has begun
	lingerTime    = 500 * time.Millisecond
	maxAPIClients = 256 // connections to the Runtime API of one process
)

// serveConnections accepts connections to the Runtime API until the listener is
// closed.
func (p *process) serveConnections() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.admit(conn) {
			_ = conn.Close()
			continue
		}
		p.speakers.Go(func() {
			defer p.dismiss(conn)
			p.serveConnection(conn)
		})
	}
}

// serveConnection finds out whether a connection is a channel or speaks HTTP,
// and serves it.
func (p *process) serveConnection(conn net.Conn) {
	limited := &io.LimitedReader{R: conn, N: maxHeader}
	in := bufio.NewReaderSize(limited, 4<<10)
	first, err := in.Peek(1)
	if err != nil {
		return
	}
	if first[0] == channelMark && p.dials {
		_, _ = in.Discard(1)
		limited.N = 1<<63 - 1
		p.serveChannel(conn, in)
		return
	}
	c := &httpConn{p: p, conn: conn, in: in, limited: limited, delivered: make(chan struct{}, 1)}
	c.serve()
}

// httpConn is a connection to the Runtime API that speaks HTTP/1.1. Requests
// are answered one after the other. A request for the next invocation is
// answered by whoever has the invocation.
type httpConn struct {
	p       *process
	conn    net.Conn
	in      *bufio.Reader
	limited *io.LimitedReader // below in: what may be read of a header

	owes      bool          // the last request waits for an invocation; delivered says when it has one
	delivered chan struct{} // capacity 1
}

// request is a request that was read whole.
type request struct {
	*http.Request
	body   []byte
	failed error // of reading the body: errTooLarge, or that it is malformed
}

// serve answers requests until the connection ends.
func (c *httpConn) serve() {
	defer func() {
		if c.owes {
			c.p.withdraw(c)
		}
	}()
	for {
		if _, err := c.in.Peek(1); err != nil {
			return
		}
		r, err := c.read()
		if c.owes && !c.awaitDelivery() {
			return
		}
		if err != nil {
			_ = c.write(http.StatusBadRequest, "text/plain; charset=utf-8", []byte("400 Bad Request"), true)
			c.linger()
			return
		}
		a := c.p.respond(c, r)
		last := r.Close || r.failed != nil && !errors.Is(r.failed, errTooLarge)
		if a.later {
			c.owes = true
		} else if c.write(a.status, a.contentType, a.body, last) != nil {
			return
		}
		if last && !c.owes {
			return
		}
	}
}

// linger reads what the client still sends, for a moment: a connection that is
// closed with something unread takes its last answer with it.
func (c *httpConn) linger() {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = c.conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, c.conn, 4*maxHeader)
	}
}

// awaitDelivery waits until the request before, which is for an invocation, has
// been answered. It returns false if it never will.
func (c *httpConn) awaitDelivery() bool {
	select {
	case <-c.delivered:
		c.owes = false
		return true
	case <-c.p.exited:
		return false
	}
}

// read reads a request whose first byte is there.
func (c *httpConn) read() (*request, error) {
	c.limited.N = maxHeader
	if buffered, _ := c.in.Peek(c.in.Buffered()); !bytes.Contains(buffered, []byte("\r\n\r\n")) {
		_ = c.conn.SetReadDeadline(time.Now().Add(headerTime))
		defer func() { _ = c.conn.SetReadDeadline(time.Time{}) }()
	}
	r, err := http.ReadRequest(c.in)
	if err != nil {
		return nil, err
	}
	if r.ProtoMajor != 1 {
		return nil, errors.New("not HTTP/1")
	}
	_ = c.conn.SetReadDeadline(time.Time{})
	c.limited.N = 1<<63 - 1
	if r.ContentLength != 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		if _, err := io.WriteString(c.conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return nil, err
		}
	}
	body, failed := readBody(r.Body, r.ContentLength)
	return &request{Request: r, body: body, failed: failed}, nil
}

var errTooLarge = errors.New("too large")

// readBody reads a body of at most maxResponseBytes; length is -1 where it is
// not known. The rest of a larger one is read and dropped, so that the client
// can read the refusal.
func readBody(from io.Reader, length int64) ([]byte, error) {
	var body []byte
	var err error
	if length >= 0 && length <= maxResponseBytes {
		body = make([]byte, length)
		_, err = io.ReadFull(from, body)
		return body, err
	}
	if body, err = io.ReadAll(io.LimitReader(from, maxResponseBytes+1)); err != nil {
		return nil, err
	}
	if len(body) > maxResponseBytes {
		if _, err = io.Copy(io.Discard, from); err == nil {
			err = errTooLarge
		}
		return nil, err
	}
	return body, nil
}

// write answers a request; last is set when the connection is closed then.
func (c *httpConn) write(status int, contentType string, body []byte, last bool) error {
	out := beginAnswer(make([]byte, 0, 256+len(body)), status, contentType, len(body))
	if last {
		out = append(out, "Connection: close\r\n"...)
	}
	_, err := c.conn.Write(append(append(out, "\r\n"...), body...))
	return err
}

// beginAnswer appends the header of an answer without its end.
func beginAnswer(out []byte, status int, contentType string, length int) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	out = append(out, http.StatusText(status)...)
	out = append(out, "\r\nDate: "...)
	out = time.Now().UTC().AppendFormat(out, http.TimeFormat)
	out = append(out, "\r\nContent-Type: "...)
	out = append(out, contentType...)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(length), 10)
	return append(out, "\r\n"...)
}

// deliver implements taker.
func (c *httpConn) deliver(t *task) error {
	out := beginAnswer(make([]byte, 0, 512+min(len(t.Payload), maxDirect)), http.StatusOK, "application/json", len(t.Payload))
	out = appendHeader(out, "Lambda-Runtime-Aws-Request-Id", t.requestID)
	out = appendHeader(out, "Lambda-Runtime-Deadline-Ms", strconv.FormatInt(t.deadline.UnixMilli(), 10))
	out = appendHeader(out, "Lambda-Runtime-Invoked-Function-Arn", t.FunctionARN)
	out = appendHeader(out, "Lambda-Runtime-Trace-Id", t.TraceID)
	if t.ClientContext != "" {
		out = appendHeader(out, "Lambda-Runtime-Client-Context", t.ClientContext)
	}
	out = append(out, "\r\n"...)
	write := func() error {
		_, err := (&net.Buffers{out, t.Payload}).WriteTo(c.conn)
		c.delivered <- struct{}{}
		return err
	}
	if len(t.Payload) <= maxDirect {
		out = append(out, t.Payload...)
		_, err := c.conn.Write(out)
		c.delivered <- struct{}{}
		return err
	}
	c.p.writeLater(t, write)
	return nil
}

func appendHeader(out []byte, name, value string) []byte {
	out = append(append(out, name...), ": "...)
	return append(append(out, oneLine(value)...), "\r\n"...)
}

// refuseWebPage returns the answer to a request that may come from a web page,
// and false if it does not.
func refuseWebPage(r *http.Request) (apiAnswer, bool) {
	refusal := webguard.Guard{}.Check(r)
	if refusal == nil {
		return apiAnswer{}, false
	}
	return apiAnswer{status: refusal.Status, contentType: "text/plain; charset=utf-8", body: []byte(refusal.Message + "\n")}, true
}
