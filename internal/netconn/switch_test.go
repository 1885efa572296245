package netconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// A switch is its connection, and then what it was redirected to.
func TestSwitch(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	s := NewSwitch(wrapper{near})
	go func() { _, _ = io.WriteString(far, "before") }()
	got := make([]byte, 10)
	if n, err := s.Read(got); err != nil || string(got[:n]) != "before" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	if conn, ok := Find[wrapper](s); !ok || conn.Conn != near || s.RemoteAddr() != near.RemoteAddr() {
		t.Errorf("it wraps %v, of %v", conn, s.RemoteAddr())
	}
	_ = s.SetReadDeadline(time.Unix(1, 0))
	if _, err := s.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after its deadline: %v", err)
	}

	place := bytes.NewBufferString("after")
	if was := s.Redirect(place); was != net.Conn(wrapper{near}) {
		t.Errorf("it wrapped %v", was)
	}
	if n, err := s.Read(got); err != nil || string(got[:n]) != "after" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	_ = s.SetWriteDeadline(time.Unix(1, 0))
	if _, err := io.WriteString(s, "written"); err != nil || place.String() != "written" {
		t.Errorf("wrote %q, %v", place, err)
	}
	if err := errors.Join(s.SetDeadline(time.Now()), s.SetReadDeadline(time.Now()), s.Close()); err != nil {
		t.Error(err)
	}
	if s.RemoteAddr().String() == "" || s.LocalAddr().String() == "" || s.NetConn() != net.Conn(s) {
		t.Errorf("%v, %v, %v", s.RemoteAddr(), s.LocalAddr(), s.NetConn())
	}
	go func() { _, _ = io.WriteString(near, "still open") }()
	if n, err := far.Read(got); err != nil || string(got[:n]) != "still open" {
		t.Errorf("the connection that it wrapped: %q, %v", got[:n], err)
	}
}
