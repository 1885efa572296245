package main

import (
	"context"
	"os"

	"golang.org/x/sys/windows"
)

// staysByItself returns false: on Windows only --detached makes the process
// stay.
func staysByItself() bool { return false }

// awaitParent waits for the end of the process that started this one, and
// reports it; false when ctx ends first, or when there is no such process.
func awaitParent(ctx context.Context) bool {
	parent, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(os.Getppid()))
	if err != nil {
		return false
	}
	defer func() { _ = windows.CloseHandle(parent) }()
	for ctx.Err() == nil {
		if event, err := windows.WaitForSingleObject(parent, 500); err != nil || event == windows.WAIT_OBJECT_0 {
			return err == nil
		}
	}
	return false
}

// outliveReaders does nothing: there is no signal for what nobody reads any more.
func outliveReaders() (stop func()) { return func() {} }

// withHangUp does nothing: a console that goes away ends its processes.
func withHangUp(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}
