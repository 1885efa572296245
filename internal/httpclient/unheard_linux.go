package httpclient

import "golang.org/x/sys/unix"

// unheard reports whether the kernel of the peer had confirmed none of what was sent on a
// TCP socket behind the given number of bytes when the connection ended.
func unheard(fd int, before uint64) bool {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	const handshake = 1 // is confirmed as a byte is
	return err == nil && info.Bytes_acked <= before+handshake
}
