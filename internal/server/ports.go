package server

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/listener"
)

// Names of listeners that a gateway is handed.
const (
	publicName = "public"
	adminName  = "admin"
)

// ports are the open ports of a gateway that nobody serves yet. They are opened
// before all else: a port that is taken is told at once, and clients that come
// early wait instead of being refused.
type ports struct {
	public []net.Listener
	admin  net.Listener
}

// openPorts takes the listeners that were handed over, and opens the
// configuration's addresses for a name that has none. On an error nothing is
// open.
func openPorts(ctx context.Context, given map[string][]net.Listener, c *config.Config) (p ports, err error) {
	defer func() {
		if err != nil {
			closeAll(given)
			p.close()
			p = ports{}
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := p.take(name, given[name]); err != nil {
			return p, err
		}
	}
	if len(p.public) == 0 {
		for _, address := range c.Listen {
			port, err := listener.Open(ctx, address)
			if err != nil {
				return p, err
			}
			p.public = append(p.public, port)
		}
	}
	if p.admin == nil {
		p.admin, err = listener.Open(ctx, c.Admin.Listen)
	}
	return p, err
}

// take puts listeners that were handed over to their name.
func (p *ports) take(name string, listeners []net.Listener) error {
	for _, given := range listeners {
		tcp, ok := given.(*net.TCPListener)
		if !ok {
			return fmt.Errorf("the socket %s is not one of TCP", name)
		}
		switch {
		case name == publicName:
			p.public = append(p.public, quietListener{tcp})
		case name == adminName && p.admin == nil:
			p.admin = quietListener{tcp}
		case name == adminName:
			return fmt.Errorf("there are several sockets of the name %s", adminName)
		default:
			return fmt.Errorf("the socket %s has to be named %s or %s", name, publicName, adminName)
		}
	}
	return nil
}

func (p *ports) takePublic() []net.Listener {
	listeners := p.public
	p.public = nil
	return listeners
}

func (p *ports) takeAdmin() net.Listener {
	port := p.admin
	p.admin = nil
	return port
}

// close closes the ports that nobody took.
func (p *ports) close() {
	for _, port := range append(p.takePublic(), p.takeAdmin()) {
		if port != nil {
			_ = port.Close()
		}
	}
}

func closeAll(listeners map[string][]net.Listener) {
	for _, list := range listeners {
		for _, port := range list {
			_ = port.Close()
		}
	}
}

// quietListener accepts connections without the kernel's keep-alive timers, as
// openPort's listeners do.
type quietListener struct{ *net.TCPListener }

func (l quietListener) Accept() (net.Conn, error) {
	conn, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	_ = conn.SetKeepAlive(false) // a connection that is gone shows when it is read
	return conn, nil
}

// serveAdmin serves the admin port. No proxy is believed there.
func (s *Server) serveAdmin(port net.Listener, handler *adminHandler) *listener.Server {
	o := listener.Options{TLS: tlsOf(s.certificates.admin), Limits: s.limits()}
	if o.TLS != nil {
		o.Plain = handler.withoutTLS()
	}
	return listener.Serve(port, handler, o)
}

// servePublic serves a public port.
func (s *Server) servePublic(port net.Listener) *listener.Server {
	o := listener.Options{
		TLS: tlsOf(s.certificates.public), Trusted: s.config.Proxies.Trusted, ProxyProtocol: s.config.Proxies.ProxyProtocol, Limits: s.limits(), LeavesReserve: true,
		Refused: func(netip.Addr, string) { s.events.turnedAway.Add(1) },
	}
	handler := http.Handler(s.gateway)
	if s.config.TLS.Required {
		o.Plain = s.managed.answering(listener.TLSRequired())
	}
	if s.config.Health.Public {
		handler = s.state.public(handler)
		if o.Plain != nil { // a probe has nothing to keep secret
			o.Plain = s.state.public(o.Plain)
		}
	}
	return listener.Serve(port, s.managed.answering(handler), o)
}

// limits are those of every port.
func (s *Server) limits() listener.Limits {
	l, t := s.config.Limits, s.config.Timeouts
	return listener.Limits{
		HeaderBytes: l.HeaderBytes, HeaderLines: l.HeaderLines, URLBytes: l.URLBytes,
		HeaderTime: t.Header, BodyTime: t.Body, WriteTime: t.Write, IdleTime: t.Idle,
		Connections: l.Handshakes, PerSource: l.HandshakesPerSource,
	}
}
