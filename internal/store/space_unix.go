//go:build unix

package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// spaceLeft returns how many bytes this process may still write to the disk of
// a folder.
func spaceLeft(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	blocks := s.Bavail
	if os.Geteuid() == 0 {
		blocks = s.Bfree // root may use the blocks that are reserved for it
	}
	return uint64(blocks) * uint64(s.Bsize), nil //nolint:gosec,unconvert // the types differ by system
}
