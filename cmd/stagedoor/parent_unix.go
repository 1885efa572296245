//go:build unix

package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookAfterParent is how often it is checked whether the parent still runs.
const lookAfterParent = 500 * time.Millisecond

// staysByItself reports whether this process was started so that it goes on
// when its parent ends: with nohup, or in a session of its own. It is also true
// for the first process of a system or container and for its children, whose
// parent does not end.
func staysByItself() bool {
	session, err := unix.Getsid(0)
	return os.Getppid() <= 1 || signal.Ignored(syscall.SIGHUP) || err == nil && session == os.Getpid()
}

// awaitParent waits for the end of the process that started this one, and
// reports it; false when ctx ends first.
func awaitParent(ctx context.Context) bool {
	parent := os.Getppid()
	ticker := time.NewTicker(lookAfterParent)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
			if os.Getppid() != parent { // it has another parent now
				return true
			}
		}
	}
}

// outliveReaders keeps writing to a pipe that nobody reads any more from killing the process,
// until stop is called: such a write fails instead.
func outliveReaders() (stop func()) {
	closed := make(chan os.Signal, 1)
	signal.Notify(closed, syscall.SIGPIPE)
	return func() { signal.Stop(closed) }
}

// withHangUp ends the returned context also when the terminal goes away, and outlives
// readers.
func withHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	stop := outliveReaders()
	if signal.Ignored(syscall.SIGHUP) {
		ctx, cancel := context.WithCancel(ctx)
		return ctx, func() { stop(); cancel() }
	}
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGHUP)
	return ctx, func() { stop(); cancel() }
}
