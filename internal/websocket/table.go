package websocket

import "sync"

// table holds the open connections by slot, and numbers them.
type table struct {
	mu     sync.Mutex
	conns  []*Conn
	free   []uint32
	serial uint32
	closed bool
}

// add gives c a slot and counts it as live: once for Handler.Closed, once for
// the socket. It returns false when the table is closed.
func (t *table) add(c *Conn, live *sync.WaitGroup) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.serial++
	c.serial = t.serial
	if last := len(t.free) - 1; last >= 0 {
		c.slot, t.free = t.free[last], t.free[:last]
		t.conns[c.slot] = c
	} else {
		c.slot = uint32(len(t.conns))
		t.conns = append(t.conns, c)
	}
	live.Add(2)
	return true
}

func (t *table) remove(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns[c.slot] = nil
	t.free = append(t.free, c.slot)
}

// close refuses further connections.
func (t *table) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

// all lists the open connections.
func (t *table) all() []*Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	var open []*Conn
	for _, c := range t.conns {
		if c != nil {
			open = append(open, c)
		}
	}
	return open
}
