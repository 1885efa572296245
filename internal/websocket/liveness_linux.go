package websocket

import (
	"context"
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// pulseSlot stands in a kernel event for a loop's pulse, where others have the
// slot of a connection in the table.
const pulseSlot = -1

// pulse is how a loop is asked whether it has its turns: an event descriptor among
// the sockets that it watches. It costs nothing while nobody asks.
type pulse struct {
	answered chan struct{} // gets something, unless it has something, when the loop comes to the question

	asking sync.Mutex // held by who asks; guards fd
	fd     int        // -1: closed
}

// newPulse puts a pulse among what an epoll descriptor watches.
func newPulse(poll int) (*pulse, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	// Edges only: each question is one, so that none needs to be read.
	event := &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: pulseSlot}
	if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, fd, event); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return &pulse{answered: make(chan struct{}, 1), fd: fd}, nil
}

// answer is called by the loop.
func (p *pulse) answer() {
	select {
	case p.answered <- struct{}{}:
	default:
	}
}

// ask waits until the loop has a turn or has ended. The error is that of ctx.
func (l *loop) ask(ctx context.Context) error {
	p := l.pulse
	p.asking.Lock()
	defer p.asking.Unlock()
	if p.fd < 0 {
		return nil
	}
	select {
	case <-p.answered: // the answer to a question that nobody waited for any more
	default:
	}
	one := binary.NativeEndian.AppendUint64(nil, 1)
	if _, err := unix.Write(p.fd, one); err != nil {
		return os.NewSyscallError("write", err)
	}
	select {
	case <-p.answered:
		return nil
	case <-l.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends the asking. The loop has ended.
func (p *pulse) close() {
	p.asking.Lock()
	defer p.asking.Unlock()
	unix.Close(p.fd)
	p.fd = -1
}
