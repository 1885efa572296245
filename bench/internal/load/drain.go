//go:build linux

package load

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Ask sends a text message on every connection, which must be WebSockets, and
// returns the text that each is answered, less than 126 bytes.
func (c *Connections) Ask(message string) ([]string, error) {
	request := frame([]byte(message), mask, true)
	answers := make([]string, len(c.sockets))
	err := each(len(c.sockets), func(i int) error {
		if _, err := syscall.Write(c.sockets[i], request); err != nil {
			return fmt.Errorf("sending: %w", err)
		}
		return readUntil(c.sockets[i], func(data []byte) (bool, error) {
			if len(data) < 2 || len(data) < 2+int(data[1]) {
				return false, nil
			}
			if data[0] != 0x81 || data[1] > 125 || len(data) != 2+int(data[1]) {
				return false, fmt.Errorf("the server sent %q", data)
			}
			answers[i] = string(data[2:])
			return true, nil
		})
	})
	return answers, err
}

// Drain is the reading of what comes on connections, which is dropped.
type Drain struct {
	epoll   int
	stopped atomic.Bool
	running sync.WaitGroup
	bytes   atomic.Int64
	ended   atomic.Int64
}

// pause is the time between two looks at the sockets, so that clients that are many
// machines elsewhere cost little here.
const pause = 100 * time.Millisecond

// Drain reads what comes on all connections, until Stop. Nothing else may read
// them.
func (c *Connections) Drain() (*Drain, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	d := &Drain{epoll: epoll}
	for _, fd := range c.sockets {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		err := errors.Join(syscall.SetNonblock(fd, true), syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event))
		if err != nil {
			_ = syscall.Close(epoll)
			return nil, fmt.Errorf("epoll: %w", err)
		}
	}
	d.running.Go(d.run)
	return d, nil
}

func (d *Drain) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	events := make([]syscall.EpollEvent, 1024)
	buffer := make([]byte, 64<<10)
	for !d.stopped.Load() {
		n, err := syscall.EpollWait(d.epoll, events, 10)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		for _, event := range events[:max(n, 0)] {
			n, err := syscall.Read(int(event.Fd), buffer)
			if n == 0 || err != nil && !errors.Is(err, syscall.EAGAIN) {
				_ = syscall.EpollCtl(d.epoll, syscall.EPOLL_CTL_DEL, int(event.Fd), nil)
				d.ended.Add(1)
			}
			d.bytes.Add(int64(max(n, 0)))
		}
		time.Sleep(pause)
	}
}

// Bytes is how many have come until now.
func (d *Drain) Bytes() int64 { return d.bytes.Load() }

// Stop ends the reading. It returns an error if a connection has ended meanwhile.
func (d *Drain) Stop() error {
	d.stopped.Store(true)
	d.running.Wait()
	_ = syscall.Close(d.epoll)
	if n := d.ended.Load(); n > 0 {
		return fmt.Errorf("%d of the connections ended", n)
	}
	return nil
}
