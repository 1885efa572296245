package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/filelock"
)

// ErrInUse means that another process uses the data directory.
var ErrInUse = errors.New("another process uses it")

// lockDir makes this process the only one that uses a data directory, until
// unlockDir or the end of the process.
func lockDir(dir string) (*os.File, error) {
	name := filepath.Join(dir, "lock")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	locked, err := filelock.Try(file)
	if err == nil && !locked {
		owner, _ := os.ReadFile(name)
		err = fmt.Errorf("%w (%s)", ErrInUse, strings.TrimSpace(string(owner)))
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("the data directory %s: %w", dir, err)
	}
	// The process id is for people who look at the file; the lock does not
	// depend on it.
	if err := file.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(file, "process %d\n", os.Getpid())
	}
	return file, nil
}

// unlockDir lets others use the data directory.
func unlockDir(lock *os.File) {
	_ = filelock.Unlock(lock) // closing the file unlocks it too, but perhaps not at once
	_ = lock.Close()
}
