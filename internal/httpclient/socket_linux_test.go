package httpclient

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A socket that the kernel has connected to itself, where nobody listens, is none to a
// backend, however its address is written.
func TestOwnPeer(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	own := os.NewFile(uintptr(fd), "socket") //nolint:gosec // it is not negative
	defer own.Close()
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, address); err != nil {
		t.Fatal(err)
	}
	port := address.(*unix.SockaddrInet4).Port //nolint:forcetypeassert // it was bound to one
	client, loop := newClient(t), newLoop(t)
	quiet(t, loop, func() {
		b := client.loops.of(client, loop)
		for format, want := range map[string]bool{"127.0.0.1:%d": true, "[::ffff:127.0.0.1]:%d": true, "127.0.0.2:%d": false, "[::1]:%d": false} {
			s := &socket{host: b.host(fmt.Sprintf(format, port)), fd: fd}
			if s.isOwnPeer() != want {
				t.Errorf("%s: %t, want %t", s.host.backend, !want, want)
			}
		}
	})
}
