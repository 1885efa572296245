//go:build unix

package filelock

import (
	"os"
	"syscall"
)

// Try locks an open file unless another has it.
func Try(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return false, nil
	}
	return err == nil, err
}

// Unlock ends the lock at once. To close the file does not: a child that is
// being started holds the lock too, until it runs its program.
func Unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
