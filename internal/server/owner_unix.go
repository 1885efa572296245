//go:build unix

package server

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// checkOwner returns an error where this process is root and a data folder belongs to
// somebody else, who could not read what root writes there.
func checkOwner(dir string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 || stat.Uid == 0 {
		return nil
	}
	name := strconv.FormatUint(uint64(stat.Uid), 10)
	if owner, err := user.LookupId(name); err == nil {
		name = owner.Username
	}
	return fmt.Errorf("the data directory %s belongs to user %s, who could not read what root writes there: "+
		"run this as that user, or through the gateway with --gateway", dir, name)
}
