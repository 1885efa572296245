package stagedoor

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/stagedoor/stagedoor/internal/config"
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
			listener, err := openPort(ctx, address)
			if err != nil {
				return p, err
			}
			p.public = append(p.public, listener)
		}
	}
	if p.admin == nil {
		p.admin, err = openPort(ctx, c.Admin.Listen)
	}
	return p, err
}

// take puts listeners that were handed over to their name.
func (p *ports) take(name string, listeners []net.Listener) error {
	for _, listener := range listeners {
		tcp, ok := listener.(*net.TCPListener)
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
	listener := p.admin
	p.admin = nil
	return listener
}

// close closes the ports that nobody took.
func (p *ports) close() {
	for _, listener := range append(p.takePublic(), p.takeAdmin()) {
		if listener != nil {
			_ = listener.Close()
		}
	}
}

func closeAll(listeners map[string][]net.Listener) {
	for _, list := range listeners {
		for _, listener := range list {
			_ = listener.Close()
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
