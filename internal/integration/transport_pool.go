package integration

import (
	"net"
	"sync"
	"time"
)

const (
	maxIdle     = 1024 // connections per backend
	idleTimeout = 90 * time.Second
)

// httpConn is a connection to a backend; one request uses it at a time.
type httpConn struct {
	net.Conn
	probe
	since time.Time // in the pool since
}

func newHTTPConn(conn net.Conn) *httpConn {
	c := &httpConn{Conn: conn}
	c.probe.begin(conn)
	return c
}

// pool keeps the connections that no request uses. The zero value is empty.
type pool struct {
	mu     sync.Mutex
	idle   map[string][]*httpConn // guarded by mu: by host:port, the last used at the end
	timer  *time.Timer            // guarded by mu: runs closeIdle while a connection is idle
	closed bool                   // guarded by mu
}

// take gives the connection that was used last, or nil.
func (p *pool) take(address string) *httpConn {
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

// put takes a connection back, or closes it when there are enough.
func (p *pool) put(address string, c *httpConn) {
	c.since = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[address]
	if p.closed || len(list) >= maxIdle {
		_ = c.Close()
		return
	}
	if p.idle == nil {
		p.idle = make(map[string][]*httpConn)
	}
	p.idle[address] = append(list, c)
	if p.timer == nil {
		p.startTimerLocked()
	}
}

// close closes all connections, and those that are put later.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.closeIdleLocked(time.Now())
}

// closeIdle closes the connections that are idle since a time or longer, and
// comes back for the others.
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
			p.idle[address] = append([]*httpConn(nil), list[n:]...)
		}
	}
	if len(p.idle) > 0 {
		p.startTimerLocked()
	}
}

func (p *pool) startTimerLocked() {
	p.timer = time.AfterFunc(idleTimeout, func() { p.closeIdle(time.Now().Add(-idleTimeout)) })
}

// count is how many connections are idle.
func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, list := range p.idle {
		n += len(list)
	}
	return n
}
