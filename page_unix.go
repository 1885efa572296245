//go:build unix

package stagedoor

import "syscall"

// openWithoutWaiting makes opening a pipe return at once.
const openWithoutWaiting = syscall.O_NONBLOCK
