package httpclient

import (
	"sync"
	"time"
)

const (
	maxIdle     = 1024             // connections that a backend's calls leave
	idleTimeout = 90 * time.Second // how long one is kept for the next call

	// fewIdle is how many idle connections to a backend are kept for so long, in the
	// pool and on each loop. Those beyond are left of a time when there was much to do.
	fewIdle = 64
	// sweepEvery is how often idle connections are looked at. Of those beyond fewIdle,
	// one that was not used since the last time is closed.
	sweepEvery = 2 * time.Second
)

// pool keeps the connections that no request uses, of calls that block.
type pool struct {
	of    *registry
	limit int // of a backend's sockets

	mu       sync.Mutex
	backends map[string]*idleList // guarded by mu: by host:port
	timer    *time.Timer          // guarded by mu: runs sweep while there are backends
	closed   bool                 // guarded by mu
}

// idleList are the idle connections to a backend.
type idleList struct {
	keeper
	list []*connection // guarded by pool.mu: the last used at the end
}

// enter takes a slot for a call of a backend. The connection is one that was used last;
// nil: the slot is for a new one. Put or free follows.
func (p *pool) enter(backend string) (*idleList, *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.backends[backend]
	if l == nil {
		l = &idleList{}
		l.drop = func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if l.surplus(len(l.list)) {
				_ = l.pop().Close()
			}
		}
		p.of.join(&l.keeper, backend, p.limit)
		if p.backends == nil {
			p.backends = make(map[string]*idleList)
		}
		p.backends[backend] = l
		if p.timer == nil {
			p.startTimerLocked()
		}
	}
	if at := l.take(); at != &l.keeper {
		l.move(at)
		at.drop() // it is a loop's, which only posts
		return l, nil
	}
	return l, l.pop()
}

// next is the connection for a call that found the one before dead; nil: none is left.
func (p *pool) next(l *idleList) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !l.lose() {
		return nil
	}
	return l.pop()
}

// pop removes the connection that was used last.
func (l *idleList) pop() *connection {
	last := len(l.list) - 1
	if last < 0 {
		return nil
	}
	c := l.list[last]
	l.list[last] = nil
	l.list = l.list[:last]
	return c
}

// put keeps a connection for the next request, or closes it where enough are
// kept.
func (p *pool) put(l *idleList, c *connection) {
	c.rest()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(l.list) >= maxIdle {
		_ = c.Close()
		l.free()
		return
	}
	l.list = append(l.list, c)
	l.keep()
}

// close closes all connections that are kept, and from then on those that are
// put.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.sweepLocked(time.Now().Add(idleTimeout))
}

// sweep closes the connections that are idle for too long at a time. The timer runs on
// for the others.
func (p *pool) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweepLocked(now)
}

func (p *pool) sweepLocked(now time.Time) {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	for backend, l := range p.backends {
		n := 0
		for n < len(l.list) && now.Sub(l.list[n].since) >= mayIdle(len(l.list)-n) {
			_ = l.list[n].Close()
			l.lose()
			n++
		}
		if n > 0 {
			l.list = append([]*connection(nil), l.list[n:]...)
		}
		if len(l.list) == 0 && l.quit() {
			delete(p.backends, backend)
		}
	}
	if len(p.backends) > 0 && !p.closed {
		p.startTimerLocked()
	}
}

func (p *pool) startTimerLocked() {
	p.timer = time.AfterFunc(sweepEvery, func() { p.sweep(time.Now()) })
}

// mayIdle returns for how long the connection that was used first may be idle, of so
// many.
func mayIdle(idle int) time.Duration {
	if idle > fewIdle {
		return sweepEvery
	}
	return idleTimeout
}
