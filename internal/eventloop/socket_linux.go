package eventloop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Read is read(2) for a socket that doesn't block. Go's scheduler is not told of the call, as it is of others: while it
// takes its few microseconds, nobody takes the processor away from the loop, which would have to get one back. It returns
// 0 and no error where the stream has ended, or the buffer is empty.
func Read(fd int, p []byte) (int, error) { return transfer(unix.SYS_READ, fd, p) }

// Write is write(2) likewise.
func Write(fd int, p []byte) (int, error) { return transfer(unix.SYS_WRITE, fd, p) }

func transfer(call uintptr, fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// poll takes the events that have come from an epoll descriptor, and waits for none.
func poll(fd uintptr, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}
