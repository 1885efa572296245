package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/stagedoor/stagedoor/internal/acme"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/store"
)

// managed are the certificates that an authority gives by ACME. The nil one is
// of no use to anybody and can be asked all the same.
type managed struct {
	*acme.Manager
	cancel    context.CancelFunc // ends the following of domain names
	following sync.WaitGroup
}

// openACME makes the manager of certificates, if one is configured. It has no
// names until manage. Its challenges arrive at the public ports.
func (s *Server) openACME() error {
	c := s.config.TLS.ACME
	if len(c.Domains) == 0 {
		return nil
	}
	roots, err := backends.TrustedCAs(c.CA)
	if err != nil {
		return fmt.Errorf("tls.acme.ca: %w", err)
	}
	key, err := readSecret(c.MACKey)
	if err != nil {
		return fmt.Errorf("tls.acme: the MAC key: %w", err)
	}
	m, err := acme.New(acme.Options{
		Store: s.store.Store, Directory: c.Directory, Email: c.Email, Roots: roots, KeyID: c.KeyID, MACKey: key,
		HTTPAddress: portFor(s.ports.public, "80"), TLSAddress: portFor(s.ports.public, "443"), Log: s.log,
	})
	if err != nil {
		return err
	}
	s.managed = &managed{Manager: m, cancel: func() {}}
	return nil
}

// portFor is the address of the port with a number, or else of the first:
// something in front of it may lead there.
func portFor(ports []net.Listener, number string) string {
	for _, p := range ports {
		if _, port, err := net.SplitHostPort(p.Addr().String()); err == nil && port == number {
			return p.Addr().String()
		}
	}
	return ports[0].Addr().String()
}

// certificate gives a managed certificate to the public ports. It is asked only
// once they are served.
func (s *Server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.managed.Certificate(hello)
}

// answering makes a handler of a public port answer challenges, too.
func (m *managed) answering(next http.Handler) http.Handler {
	if m == nil {
		return next
	}
	return m.Handler(next)
}

// manage gets certificates from now on, for the names of the configuration and,
// if it says so, for the custom domain names of the store. The public ports are
// served: the authority asks at once.
func (s *Server) manage(ctx context.Context) {
	if s.managed == nil {
		return
	}
	names, configured := s.config.TLS.ACME.Wanted()
	if !configured {
		s.want(names)
		return
	}
	ctx, s.managed.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.managed.following.Go(func() { s.followDomains(ctx, names) })
}

// followDomains gets certificates for custom domain names beside those that are
// always wanted, until ctx ends.
func (s *Server) followDomains(ctx context.Context, always []string) {
	domains := map[string]bool{}
	for _, name := range always {
		domains[name] = true
	}
	complete := false
	update := func() {
		if complete {
			s.want(slices.Sorted(maps.Keys(domains)))
		}
	}
	changed := func(e store.Event[apigw.DomainName]) {
		name := e.ID[0]
		switch {
		case strings.HasPrefix(name, "*.") || slices.Contains(always, name) || e.Err != nil:
			return // files have those of wildcards
		case e.Deleted:
			delete(domains, name)
		default:
			domains[name] = true
		}
		update()
	}
	_ = s.store.DomainNames.Watch(ctx, changed, func() { complete = true; update() }) // ends with ctx or the store
}

// want says which names are to have certificates. One that cannot have any
// keeps no other from having one.
func (s *Server) want(names []string) {
	names = slices.DeleteFunc(names, func(name string) bool {
		err := acme.Check(name)
		if err != nil {
			s.log.Warn("no certificate", "name", name, "error", err)
		}
		return err != nil
	})
	if err := s.managed.Manage(names); err != nil {
		s.log.Error("certificates are not managed", "error", err)
	}
}

// stop ends renewals. The store is still there.
func (m *managed) stop(ctx context.Context) {
	if m == nil {
		return
	}
	m.cancel()
	m.following.Wait()
	_ = m.Close(ctx) // a lock that is not given back ends by itself
}
