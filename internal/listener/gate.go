package listener

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/dualport"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/netconn"
)

// gate limits the number of connections that are not WebSockets. It has an
// entry for a source only while that has such connections.
type gate struct {
	total, perSource int                // 0: no limit
	exempt           forwarded.Networks // sources that stand for many
	refused          func(netip.Addr, string)
	leavesReserve    bool

	mu      sync.Mutex // guards what follows
	open    int
	sources map[netip.Prefix]int
}

func newGate(l Limits, o Options) *gate {
	g := &gate{
		total: l.Connections, perSource: l.PerSource, exempt: o.Trusted, refused: o.Refused, leavesReserve: o.LeavesReserve,
		sources: make(map[netip.Prefix]int),
	}
	if g.refused == nil {
		g.refused = func(netip.Addr, string) {}
	}
	return g
}

// enter counts a connection. It returns the reason if the connection must be
// closed instead, else "".
func (g *gate) enter(source netip.Prefix) (reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total > 0 && g.open >= g.total {
		return "too many connections"
	}
	if g.perSource > 0 && source.IsValid() {
		if g.sources[source] >= g.perSource {
			return "too many connections from one source"
		}
		g.sources[source]++
	}
	g.open++
	return ""
}

func (g *gate) leave(source netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.perSource > 0 && source.IsValid() {
		if g.sources[source]--; g.sources[source] == 0 {
			delete(g.sources, source)
		}
	}
}

// sourceOf returns what counts as one source: an IPv4 address, or an IPv6 /64
// network, which is what one customer has. It is not valid for addresses that
// are not limited.
func (g *gate) sourceOf(address netip.Addr) netip.Prefix {
	if !address.IsValid() || g.exempt.Contains(address) {
		return netip.Prefix{}
	}
	if address.Is4() {
		return netip.PrefixFrom(address, 32)
	}
	return netip.PrefixFrom(address.WithZone(""), 64).Masked()
}

// gatedListener closes connections beyond the gate's limits. They get no
// answer, because that would cost more than the connection.
type gatedListener struct {
	net.Listener
	gate     *gate
	accepted *acceptance
}

func (l *gatedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.accepted.happened()
		address := peerOf(conn)
		if l.gate.leavesReserve && descriptors.Scarce(conn) {
			abort(conn)
			l.gate.refused(address, "too few file descriptors")
			continue
		}
		source := l.gate.sourceOf(address)
		if reason := l.gate.enter(source); reason != "" {
			abort(conn)
			l.gate.refused(address, reason)
			continue
		}
		return &gatedConn{Conn: conn, gate: l.gate, source: source}, nil
	}
}

// peerOf returns the address at the other end of the socket, which may be a
// proxy's. It is not valid for a connection that is not TCP.
func peerOf(conn net.Conn) netip.Addr {
	if socket, ok := netconn.Find[*net.TCPConn](conn); ok {
		if peer, ok := socket.RemoteAddr().(*net.TCPAddr); ok {
			return peer.AddrPort().Addr().Unmap()
		}
	}
	return netip.Addr{}
}

// abort closes a connection without leaving anything of it in the kernel.
func abort(conn net.Conn) {
	if socket, ok := netconn.Find[*net.TCPConn](conn); ok {
		_ = socket.SetLinger(0)
	}
	_ = conn.Close()
}

// gatedConn leaves the gate when it is closed or becomes a WebSocket.
type gatedConn struct {
	net.Conn
	gate   *gate
	source netip.Prefix
	once   sync.Once
}

func (c *gatedConn) leave() { c.once.Do(func() { c.gate.leave(c.source) }) }

// Close closes the connection.
func (c *gatedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// NetConn returns the connection that this one wraps.
func (c *gatedConn) NetConn() net.Conn { return c.Conn }

// leaveWhenHijacked is a ConnState hook of http.Server: a hijacked connection
// leaves the gate.
func leaveWhenHijacked(c net.Conn, state http.ConnState) {
	if state != http.StateHijacked {
		return
	}
	if conn, ok := c.(*dualport.Conn); ok {
		if gated, ok := conn.Accepted().(*gatedConn); ok {
			gated.leave()
		}
	}
}
