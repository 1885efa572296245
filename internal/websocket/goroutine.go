package websocket

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/stagedoor/stagedoor/internal/netconn"
)

const (
	goroutineRest  = 1 << 10  // bytes of the buffer that waits for something to read
	goroutineRead  = 16 << 10 // bytes of the buffer that takes the rest of it
	goroutineWrite = 16 << 10 // bytes of one write, so that progress shows
)

// goroutine drives one connection of any kind: a goroutine reads as long as it
// lives, and another writes while something is queued.
type goroutine struct {
	nc      net.Conn
	wake    chan struct{} // the reader has to look at the connection
	writing bool          // guarded by Conn.mu
}

func newGoroutine(nc net.Conn) *goroutine {
	return &goroutine{nc: nc, wake: make(chan struct{}, 1)}
}

func (g *goroutine) start(c *Conn, buffered []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = true
	g.flushLocked(c)
	go g.read(c, buffered)
}

// read reads without the claim, which it has for decoding alone: what the connection
// holds can be freed while it waits for more.
func (g *goroutine) read(c *Conn, data []byte) {
	defer c.engine.live.Done()
	defer g.nc.Close()
	b := newBuffer(goroutineRest)
	defer func() { b.free() }()
	n, failed := 0, error(nil) // of the last read
	for g.await(c) {
		more := c.catchUp()
		if more {
			more = c.received(data)
			data = nil
		}
		if more && failed != nil {
			c.readEnded(errors.Is(failed, io.EOF))
		}
		c.releaseReading(false)
		if more && failed == nil {
			if size := nextRead(n, cap(b.data)); size != cap(b.data) {
				b.free()
				b = newBuffer(size)
			}
			n, failed = g.nc.Read(b.data[:cap(b.data)])
			data = b.data[:n]
		}
	}
}

// nextRead is the size of the buffer for the next read, after one that took n bytes of
// size.
func nextRead(n, size int) int {
	if n == size {
		return goroutineRead // there is more
	}
	return goroutineRest
}

// await waits until the connection can be claimed for reading. It returns
// false when the socket has to be released.
func (g *goroutine) await(c *Conn) bool {
	for {
		c.mu.Lock()
		closed, claimed := c.state == stateClosed, c.claimReadingLocked()
		c.mu.Unlock()
		if closed || claimed {
			return claimed
		}
		<-g.wake
	}
}

func (g *goroutine) flushLocked(c *Conn) {
	if g.writing || !c.started || c.state == stateClosed {
		return
	}
	g.writing = true
	c.engine.live.Add(1)
	go g.write(c)
}

func (g *goroutine) write(c *Conn) {
	defer c.engine.live.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { g.writing = false }()
	for c.state != stateClosed {
		p := c.out.next()
		if len(p) == 0 {
			c.countQueueLocked()
			g.flushedLocked(c)
			return
		}
		c.socketFullLocked()
		c.mu.Unlock()
		n, err := g.nc.Write(p[:min(len(p), goroutineWrite)])
		c.mu.Lock()
		if c.state == stateClosed {
			return
		}
		if err != nil {
			c.writeFailedLocked()
			return
		}
		c.out.advance(n)
	}
}

// flushedLocked shuts our side of the socket when the connection wants that, and
// where the socket can. It lets go of the lock meanwhile.
func (g *goroutine) flushedLocked(c *Conn) {
	if !c.flushedLocked() {
		return
	}
	half, ok := netconn.Find[closeWriter](g.nc)
	if !ok {
		c.finishLocked()
		return
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	_ = half.CloseWrite()
}

// closeWriter is a connection that can shut our side alone.
type closeWriter interface{ CloseWrite() error }

func (g *goroutine) resumeLocked(*Conn) {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// closeLocked makes the reader and the writer return; the reader closes the socket.
func (g *goroutine) closeLocked(c *Conn) {
	g.nc.SetDeadline(time.Unix(1, 0))
	g.resumeLocked(c)
}
