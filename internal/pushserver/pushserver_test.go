package pushserver

import (
	"errors"
	"net"
	"net/http"
	"testing"
)

// lateSocket has a request just when the connection is closed.
type lateSocket struct {
	net.Conn
	conn *Conn
}

func (s *lateSocket) Read(p []byte) (int, error) {
	if s.conn.CloseLater() {
		return 0, errors.New("a request is said to be answered already")
	}
	return copy(p, "POST /dev/@connections/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), nil
}

func (s *lateSocket) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// Nothing is answered on a connection that was closed between two requests: nobody would
// wait for it.
func TestClosedBetweenRequests(t *testing.T) {
	t.Parallel()
	server := &Server{HeaderBytes: 4096, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request is answered")
	})}
	socket := &lateSocket{}
	socket.conn = server.NewConn(t.Context(), socket)
	if n, err := socket.conn.Serve(make([]byte, 4096)); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%d bytes, %v", n, err)
	}
}
