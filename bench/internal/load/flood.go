//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Flood is messages that are sent at a rate, whatever the server makes of them. What
// a socket does not take is left out.
type Flood struct {
	Offered, Taken    atomic.Int64 // messages that were due, and those of them that sockets took
	Answered, Refused atomic.Int64 // answers that are the message, and others
	Ended             atomic.Int64 // connections that the server has closed

	rate     float64 // messages per second and connection
	protocol *WebSocket
	batch    []byte // messages to be written at once
	epoll    int
	conns    map[int32]*flooder
	running  sync.WaitGroup
}

// flooder is a connection of a flood.
type flooder struct {
	fd     int
	due    float64 // messages
	begun  int     // bytes of a message that is not written whole
	rest   []byte  // the start of an answer that came in pieces
	closed bool
}

const (
	floodTurn  = 4 * time.Millisecond // between two turns in which messages are sent
	floodBatch = 64                   // messages that a connection sends in a turn, at most
	floodQueue = 16 << 10             // bytes that the system keeps for each connection on this side
)

// Flood sends messages of a protocol on all connections together at a rate per second,
// for a time, and then waits for the answers, but no longer than wait. Nothing else may
// use the connections.
func (c *Connections) Flood(p *WebSocket, rate float64, duration, wait time.Duration) (*Flood, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	f := &Flood{
		rate: rate / float64(len(c.sockets)), protocol: p, epoll: epoll, conns: map[int32]*flooder{},
		batch: bytes.Repeat(p.request, floodBatch),
	}
	for _, fd := range c.sockets {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
		err := errors.Join(
			syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, floodQueue),
			syscall.SetNonblock(fd, true), syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event),
		)
		if err != nil {
			_ = syscall.Close(epoll)
			return nil, fmt.Errorf("epoll: %w", err)
		}
		f.conns[event.Fd] = &flooder{fd: fd}
	}
	f.running.Go(func() { f.run(duration, wait) })
	return f, nil
}

// Wait waits for the end of the flood.
func (f *Flood) Wait() { f.running.Wait() }

func (f *Flood) run(duration, wait time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer func() { _ = syscall.Close(f.epoll) }()
	events := make([]syscall.EpollEvent, 1024)
	buffer := make([]byte, 64<<10)
	began := time.Now()
	for last := began; ; {
		n, err := syscall.EpollWait(f.epoll, events, int(floodTurn/time.Millisecond))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		for _, event := range events[:max(n, 0)] {
			f.receive(f.conns[event.Fd], buffer)
		}
		now := time.Now()
		over := now.Sub(began) > duration
		if over && (f.settled() || now.Sub(began) > duration+wait) {
			return
		}
		if passed := now.Sub(last); passed >= floodTurn {
			last = now
			for _, c := range f.conns {
				f.send(c, passed, over)
			}
		}
	}
}

// settled reports whether all that sockets took is answered, or will not be.
func (f *Flood) settled() bool {
	return f.Answered.Load()+f.Refused.Load() >= f.Taken.Load() || int(f.Ended.Load()) == len(f.conns)
}

// send sends what is due. When the flood is over, that is the rest of a message.
func (f *Flood) send(c *flooder, passed time.Duration, over bool) {
	size := len(f.protocol.request)
	if over {
		if c.begun == 0 {
			return
		}
		c.due = 1
	} else {
		due := f.rate * passed.Seconds()
		f.Offered.Add(int64(c.due+due) - int64(c.due))
		c.due += due
	}
	whole := int(min(c.due, floodBatch))
	c.due -= float64(int(c.due)) // what is not taken now is left out
	if c.closed || whole == 0 {
		return
	}
	n, err := syscall.Write(c.fd, f.batch[c.begun:whole*size])
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		f.end(c)
		return
	}
	written := c.begun + max(n, 0)
	f.Taken.Add(int64(written / size))
	c.begun = written % size
}

// receive reads what is there, and counts the answers.
func (f *Flood) receive(c *flooder, buffer []byte) {
	n, err := syscall.Read(c.fd, buffer)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
		return
	}
	if n <= 0 {
		f.end(c)
		return
	}
	c.rest = append(c.rest, buffer[:n]...)
	data := c.rest
	for {
		head, length, err := serverFrame(data)
		if err != nil { // a close frame, for instance
			f.end(c)
			return
		}
		if head == 0 || len(data) < head+length {
			break
		}
		if bytes.Equal(data[:head+length], f.protocol.reply) {
			f.Answered.Add(1)
		} else {
			f.Refused.Add(1)
		}
		data = data[head+length:]
	}
	c.rest = append(c.rest[:0], data...)
}

// end stops using a connection, which its opener closes.
func (f *Flood) end(c *flooder) {
	if !c.closed {
		c.closed = true
		f.Ended.Add(1)
		_ = syscall.EpollCtl(f.epoll, syscall.EPOLL_CTL_DEL, c.fd, nil)
	}
}
