package localaws

import (
	"io"
	"net"
	"sync"
)

// connQueue is a net.Listener for connections that were accepted elsewhere;
// push adds one.
type connQueue struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// push passes conn to the caller of Accept, or closes it if the queue is
// closed.
func (q *connQueue) push(conn net.Conn) {
	select {
	case q.conns <- conn:
	case <-q.closed:
		conn.Close()
	}
}

func (q *connQueue) Accept() (net.Conn, error) {
	select {
	case conn := <-q.conns:
		return conn, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *connQueue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

func (q *connQueue) Addr() net.Addr { return q.addr }

// tunnels has the connections that are copied both ways. The zero value is
// ready to use.
type tunnels struct {
	mu     sync.Mutex // guards what follows
	open   map[net.Conn]struct{}
	closed bool
	ends   sync.WaitGroup
}

// run copies between two connections until both directions have ended, and
// closes them.
func (t *tunnels) run(near, far net.Conn) {
	defer near.Close()
	defer far.Close()
	if !t.add(near, far) {
		return
	}
	defer t.remove(near, far)
	var both sync.WaitGroup
	both.Go(func() { pipe(far, near) })
	both.Go(func() { pipe(near, far) })
	both.Wait()
}

// pipe copies until the source ends, and then ends the destination. A failed
// write ends the other direction as well, because the peer does not read any
// more.
func pipe(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	to.Close()
}

func (t *tunnels) add(conns ...net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	if t.open == nil {
		t.open = map[net.Conn]struct{}{}
	}
	for _, conn := range conns {
		t.open[conn] = struct{}{}
	}
	t.ends.Add(1)
	return true
}

func (t *tunnels) remove(conns ...net.Conn) {
	t.mu.Lock()
	for _, conn := range conns {
		delete(t.open, conn)
	}
	t.mu.Unlock()
	t.ends.Done()
}

// close ends every tunnel and waits for them.
func (t *tunnels) close() {
	t.mu.Lock()
	t.closed = true
	for conn := range t.open {
		conn.Close()
	}
	t.mu.Unlock()
	t.ends.Wait()
}
