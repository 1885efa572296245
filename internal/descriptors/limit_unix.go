//go:build unix

package descriptors

import (
	"errors"
	"math"
	"sync"
	"syscall"
)

// Limit is how many descriptors the process may have; 0 where there is no limit.
// It is that of the time when it is first asked for: Go raises the limit to what
// the system allows when a program starts.
var Limit = sync.OnceValue(func() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) > math.MaxInt32 { //nolint:unconvert // it is an int64 on FreeBSD
		return 0
	}
	return int(limit.Cur)
})

// exhausted reports whether an error says that there was no descriptor left.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// ForBackend is what DialContext is for a socket of the caller's own: given the descriptor
// that the system returned for a backend, or its error, it returns the error. Where the
// descriptor is one of the last, it is closed and the error is ErrScarce.
func ForBackend(fd int, err error) error {
	switch limit := Limit(); {
	case err != nil && exhausted(err):
		return errors.Join(ErrScarce, err)
	case err != nil:
		return err
	case limit > 0 && fd >= limit-Reserve(limit)/2:
		_ = syscall.Close(fd)
		return ErrScarce
	}
	return nil
}
