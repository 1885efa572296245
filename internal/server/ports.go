package server

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/servertls"
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
func openPorts(ctx context.Context, given map[string][]net.Listener, c *config.Config) (*ports, error) {
	p := &ports{}
	if err := p.open(ctx, given, c); err != nil {
		closeAll(given)
		p.close(ctx)
		return nil, err
	}
	return p, nil
}

func (p *ports) open(ctx context.Context, given map[string][]net.Listener, c *config.Config) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := p.take(name, given[name]); err != nil {
			return err
		}
	}
	if len(p.public) == 0 {
		for _, address := range c.Listen {
			port, err := listener.Open(ctx, address)
			if err != nil {
				return err
			}
			p.public = append(p.public, port)
		}
	}
	if p.admin != nil {
		return nil
	}
	port, err := listener.Open(ctx, c.Admin.Listen)
	if err != nil {
		return err
	}
	p.admin = port
	return nil
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
func (p *ports) close(context.Context) {
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

// adminPort is the admin port while it is served.
type adminPort struct {
	*listener.Server
	handler *adminHandler
}

// serveAdmin serves the admin port: health checks from now on, the control plane
// when it is there. No proxy is believed there. Without certificates it speaks
// plain HTTP.
func serveAdmin(port net.Listener, h *health, metrics http.Handler, certificates *servertls.Certificates, limits listener.Limits) *adminPort {
	handler := newAdminHandler(h, metrics)
	o := listener.Options{TLS: tlsOf(certificates), Limits: limits}
	if o.TLS != nil {
		o.Plain = handler.withoutTLS()
	}
	return &adminPort{listener.Serve(port, handler, o), handler}
}

// close waits for requests that are under way. It may be called several times.
func (a *adminPort) close(ctx context.Context) { a.Close(ctx) }

// publicPorts are the public ports while they are served, with the connections
// that came through them.
type publicPorts struct {
	servers []*listener.Server
	gateway *gateway.Gateway
	log     *slog.Logger
	timeout time.Duration // of a stop, for the log
}

// servePublic serves the public ports.
func (s *Server) servePublic() *publicPorts {
	o := listener.Options{
		TLS: tlsOf(s.certificates.public), Trusted: s.config.Proxies.Trusted, ProxyProtocol: s.config.Proxies.ProxyProtocol,
		Limits: portLimits(s.config), LeavesReserve: true,
		Refused: func(netip.Addr, string) { s.metrics.TurnedAway() },
	}
	handler := http.Handler(s.gateway)
	if s.config.TLS.Required {
		o.Plain = s.acme.answering(listener.TLSRequired())
	}
	if s.config.Health.Public {
		handler = s.health.public(handler)
		if o.Plain != nil { // a probe has nothing to keep secret
			o.Plain = s.health.public(o.Plain)
		}
	}
	handler = s.acme.answering(handler)
	p := &publicPorts{gateway: s.gateway, log: s.log, timeout: s.config.Shutdown.Timeout}
	for _, port := range s.ports.takePublic() {
		p.servers = append(p.servers, listener.Serve(port, handler, o))
	}
	return p
}

// urls returns the ports' URLs; tls says that clients have to use TLS.
func (p *publicPorts) urls(tls bool) (urls []string) {
	for _, s := range p.servers {
		urls = append(urls, withScheme(s.URL(), tls))
	}
	return urls
}

// withScheme returns a URL with the scheme that clients have to use.
func withScheme(url string, tls bool) string {
	if tls {
		return strings.Replace(url, "http:", "https:", 1)
	}
	return url
}

// close accepts nobody more, closes the connections with 1001 and runs their
// $disconnect; then it waits for requests that are under way.
func (p *publicPorts) close(ctx context.Context) {
	for _, s := range p.servers {
		s.StopAccepting()
	}
	if err := p.gateway.Shutdown(ctx); err != nil {
		p.log.Warn("connections were cut: their $disconnect took too long", "timeout", p.timeout)
	}
	for _, s := range p.servers {
		s.Close(ctx)
	}
}

// portLimits are those of every port.
func portLimits(c *config.Config) listener.Limits {
	l, t := c.Limits, c.Timeouts
	return listener.Limits{
		HeaderBytes: l.HeaderBytes, HeaderLines: l.HeaderLines, URLBytes: l.URLBytes,
		HeaderTime: t.Header, BodyTime: t.Body, WriteTime: t.Write, IdleTime: t.Idle,
		Connections: l.Handshakes, PerSource: l.HandshakesPerSource,
	}
}
