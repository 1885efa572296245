//go:build unix

package filelock

import (
	"os"
	"syscall"
)

// Try locks an open file, and reports whether it could: false means that
// another process, or another open file of this one, has the lock.
func Try(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return false, nil
	}
	return err == nil, err
}

// Unlock ends the lock at once. Closing the file may not: a child process that
// is being started holds the lock too, until it runs its program.
func Unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
