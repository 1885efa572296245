//go:build unix

package descriptors

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	limit.Cur = 160
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Sockets are refused while there are descriptors for others left, and let be
// again when some are closed. It has the package's process to itself.
func TestReserve(t *testing.T) {
	if Limit() != 160 || Reserve(Limit()) != 20 {
		t.Fatalf("a reserve of %d of %d", Reserve(Limit()), Limit())
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dial := func() (net.Conn, error) { return Dialer{}.DialContext(t.Context(), "tcp", listener.Addr().String()) }
	var open []net.Conn
	scarce := false
	for {
		conn, err := dial()
		if errors.Is(err, ErrScarce) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		scarce = Scarce(conn)
		if open = append(open, conn); len(open) > 160 {
			t.Fatal("no socket was refused")
		}
	}
	if !scarce {
		t.Error("a client gets as many as a backend")
	}
	for range 6 { // some more may be the runtime's own
		file, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatalf("none is left for others: %v", err)
		}
		defer file.Close()
	}
	if _, err := dial(); !errors.Is(err, ErrScarce) {
		t.Errorf("a socket among the last: %v", err)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := ForBackend(fd, err); !errors.Is(err, ErrScarce) {
		t.Errorf("a socket of the caller's own among the last: %v", err)
	}
	var held []*os.File
	for { // to the very last
		file, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, file)
	}
	if _, err := dial(); !errors.Is(err, ErrScarce) {
		t.Errorf("a socket that is not there: %v", err)
	}
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err := ForBackend(fd, err); !errors.Is(err, ErrScarce) {
		t.Errorf("a socket of the caller's own that is not there: %v", err)
	}
	for _, file := range held {
		_ = file.Close()
	}
	_ = open[0].Close()
	conn, err := dial()
	if err != nil {
		t.Fatalf("after one was closed: %v", err)
	}
	_ = conn.Close()
	near, far := net.Pipe()
	if Scarce(near) || Scarce(far) {
		t.Error("a pipe is scarce")
	}
}
