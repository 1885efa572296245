package httpclient

import (
	"net"
	"sync"
	"time"
)

const (
	maxIdle     = 1024             // connections that a backend's calls leave
	idleTimeout = 90 * time.Second // how long one is kept for the next call
)

// connection is a connection to a backend; one request uses it at a time.
type connection struct {
	net.Conn
	probe
	since time.Time // when it was put into the pool
}

// newConnection makes a connection of a socket that was just opened.
func newConnection(conn net.Conn) *connection {
	c := &connection{Conn: conn}
	c.probe.begin(conn)
	return c
}

// pool keeps the connections that no request uses. The zero value is an empty
// one.
type pool struct {
	mu     sync.Mutex
	idle   map[string][]*connection // guarded by mu: by host:port, the last used at the end
	timer  *time.Timer              // guarded by mu: runs closeIdle while a connection is idle
	closed bool                     // guarded by mu
}

// take removes the connection to an address that was used last, and returns it;
// nil where there is none.
func (p *pool) take(address string) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[address]
	if len(list) == 0 {
		return nil
	}
	c := list[len(list)-1]
	list[len(list)-1] = nil
	p.idle[address] = list[:len(list)-1]
	return c
}

// put keeps a connection for the next request, or closes it where enough are
// kept.
func (p *pool) put(address string, c *connection) {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[address]
	if p.closed || len(list) >= maxIdle {
		_ = c.Close()
		return
	}
	if p.idle == nil {
		p.idle = make(map[string][]*connection)
	}
	p.idle[address] = append(list, c)
	if p.timer == nil {
		p.startTimerLocked()
	}
}

// close closes all connections that are kept, and from then on those that are
// put.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.closeIdleLocked(time.Now())
}

// closeIdle closes the connections that were put at the given time or earlier.
// The timer runs on for the others.
func (p *pool) closeIdle(since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeIdleLocked(since)
}

func (p *pool) closeIdleLocked(since time.Time) {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	for address, list := range p.idle {
		n := 0
		for n < len(list) && !list[n].since.After(since) {
			_ = list[n].Close()
			n++
		}
		if n == len(list) {
			delete(p.idle, address)
		} else {
			p.idle[address] = append([]*connection(nil), list[n:]...)
		}
	}
	if len(p.idle) > 0 {
		p.startTimerLocked()
	}
}

func (p *pool) startTimerLocked() {
	p.timer = time.AfterFunc(idleTimeout, func() { p.closeIdle(time.Now().Add(-idleTimeout)) })
}
