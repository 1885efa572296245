//go:build unix

package lambda

import (
	"os"

	"golang.org/x/sys/unix"
)

// unread is how many bytes wait in a pipe.
func unread(file *os.File) int {
	conn, err := file.SyscallConn()
	if err != nil {
		return 0
	}
	waiting := 0
	_ = conn.Control(func(fd uintptr) {
		if n, err := unix.IoctlGetInt(int(fd), bytesWaiting); err == nil {
			waiting = n
		}
	})
	return waiting
}
