package httpclient

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

// A request is sent again where the backend had closed the connection before the request
// came there, whatever its method; where the backend has read it, only if its method says
// that it may be.
func TestMayRetry(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		second      func(c *net.TCPConn, in *bufio.Reader) // what the backend does after the first answer
		post, again bool                                   // whether a POST, and whether a PUT may be sent again
	}{
		{"closed before", func(c *net.TCPConn, _ *bufio.Reader) { _ = c.Close() }, true, true},
		{"closed after it was read", func(c *net.TCPConn, in *bufio.Reader) { receive(in); _ = c.Close() }, false, true},
		{"reset after it was read", func(c *net.TCPConn, in *bufio.Reader) { receive(in); _ = c.SetLinger(0); _ = c.Close() }, false, true},
		{"closed within the answer", func(c *net.TCPConn, in *bufio.Reader) { receive(in); _, _ = c.Write([]byte("HTTP")); _ = c.Close() }, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			finished := make(chan struct{})
			url := script(t, func(_ int, c *net.TCPConn, in *bufio.Reader) {
				receive(in)
				answer(c, "first")
				test.second(c, in)
				close(finished)
			})
			dialled, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer dialled.Close()
			c := newConnection(dialled)
			r := request(t, url, "x")
			if _, reusable, err := exchange(c, r); err != nil || !reusable {
				t.Fatal(err)
			}
			c.rest()
			if test.post {
				<-finished
			}
			if _, _, err = exchange(c, r); err == nil {
				t.Fatal("there is an answer")
			}
			if got := c.mayRetry(http.MethodPost, err); got != test.post {
				t.Errorf("%v: a POST may be sent again: %v", err, got)
			}
			if got := c.mayRetry(http.MethodPut, err); got != test.again {
				t.Errorf("%v: a PUT may be sent again: %v", err, got)
			}
		})
	}
}
