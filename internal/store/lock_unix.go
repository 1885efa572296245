//go:build unix

package store

import (
	"os"
	"syscall"
)

// tryLock locks an open file unless another has it.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return false, nil
	}
	return err == nil, err
}

// unlock ends the lock at once. To close the file does not: a child that is
// being started holds the lock too, until it runs its program.
func unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
