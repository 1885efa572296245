//go:build unix

package lambda

import (
	"os"

	"golang.org/x/sys/unix"
)

// unread returns how many bytes in a pipe were not read yet.
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
