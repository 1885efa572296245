package netconn

import (
	"crypto/tls"
	"net"
	"slices"
	"syscall"
	"testing"
)

// wrapper is a connection as listeners wrap them.
type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

// selfish is a wrapper that keeps what it wraps.
type selfish struct{ net.Conn }

func (s *selfish) NetConn() net.Conn { return s }

func TestLayers(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	inner := wrapper{near}
	secure := tls.Server(inner, &tls.Config{})
	outer := wrapper{secure}
	if got, want := slices.Collect(Layers(outer)), []net.Conn{outer, secure, inner, near}; !slices.Equal(got, want) {
		t.Errorf("layers %v, want %v", got, want)
	}
	if got := slices.Collect(Layers(&selfish{near})); len(got) != maxLayers {
		t.Errorf("a wrapper that keeps its connection has %d layers", len(got))
	}
	for layer := range Layers(outer) {
		if layer != net.Conn(outer) {
			t.Errorf("went on to %v", layer)
		}
		break
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	secure := tls.Client(conn, &tls.Config{})
	outer := wrapper{wrapper{secure}}
	if socket, ok := Find[syscall.Conn](outer); !ok || socket != any(conn) {
		t.Errorf("the socket is %v", socket)
	}
	if half, ok := Find[interface{ CloseWrite() error }](outer); !ok || half != any(secure) {
		t.Errorf("the outermost that can shut one side is %v", half)
	}
	if unix, ok := Find[*net.UnixConn](outer); ok || unix != nil {
		t.Errorf("found %v", unix)
	}
}
