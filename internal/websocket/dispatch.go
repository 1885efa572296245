package websocket

import "sync"

// message is a whole message on its way to the handler.
type message struct {
	conn    *Conn
	op      Opcode
	payload *buffer
	waited  bool // reading has paused for it
}

var messagePool = sync.Pool{New: func() any { return new(message) }}

func newMessage(c *Conn, op Opcode, payload *buffer) *message {
	m := messagePool.Get().(*message)
	*m = message{conn: c, op: op, payload: payload}
	return m
}

func (m *message) free() {
	m.payload.free()
	*m = message{}
	messagePool.Put(m)
}

// dispatcher runs Message calls, each in a goroutine of its own, up to a bound
// over all connections. Past it messages wait in the order they came; since a
// connection with a waiting message isn't read, each has at most one there.
type dispatcher struct {
	mu      sync.Mutex
	running int
	limit   int
	waiting []*message
	first   int // index of the first in waiting
}

// submit starts the message's call. False means that the message waits and its
// connection must not be read until Conn.delivered.
func (d *dispatcher) submit(m *message) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.running >= d.limit {
		m.waited = true
		d.waiting = append(d.waiting, m)
		return false
	}
	d.running++
	go d.run(m)
	return true
}

// run calls the handler for m and then for what waits.
func (d *dispatcher) run(m *message) {
	for m != nil {
		c := m.conn
		if m.waited {
			c.delivered()
		}
		c.handler.Message(c, m.op, m.payload.data)
		m.free()
		m = d.next(c.answered())
		c.engine.live.Done()
	}
}

// next takes the message that has waited longest. The one that waited for its
// own connection's bound, if any, lines up behind the others.
func (d *dispatcher) next(own *message) *message {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first == len(d.waiting) {
		if own == nil {
			d.running--
		}
		return own
	}
	if own != nil {
		d.waiting = append(d.waiting, own)
	}
	m := d.waiting[d.first]
	d.waiting[d.first] = nil
	if d.first++; d.first == len(d.waiting) {
		d.waiting, d.first = d.waiting[:0], 0
	} else if d.first > len(d.waiting)/2 {
		n := copy(d.waiting, d.waiting[d.first:])
		clear(d.waiting[n:])
		d.waiting, d.first = d.waiting[:n], 0
	}
	return m
}
