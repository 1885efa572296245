package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/acme"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/store"
)

// acmeCertificates are the certificates that an authority gives by ACME. Where
// the configuration wants none, they are none.
type acmeCertificates struct {
	manager *acme.Manager                       // nil: the configuration wants none
	names   []string                            // that always have one
	domains *store.Collection[apigw.DomainName] // that have one as well; nil: they have not
	log     *slog.Logger
	parts   lifetime.Closers
}

// openACME makes the manager of certificates, if one is configured. It gets none
// until manage. Its challenges arrive at the public ports.
func openACME(c config.ACME, s *storage, public []net.Listener, log *slog.Logger) (*acmeCertificates, error) {
	a := &acmeCertificates{log: log}
	if len(c.Domains) == 0 {
		return a, nil
	}
	roots, err := backends.Authorities(c.CA)
	if err != nil {
		return nil, fmt.Errorf("tls.acme.ca: %w", err)
	}
	key, err := readSecret(c.MACKey)
	if err != nil {
		return nil, fmt.Errorf("tls.acme: the MAC key: %w", err)
	}
	a.manager, err = acme.New(acme.Options{
		Store: s.Store, Directory: c.Directory, Email: c.Email, Roots: roots, KeyID: c.KeyID, MACKey: key,
		HTTPAddress: portFor(public, "80"), TLSAddress: portFor(public, "443"), Log: log,
	})
	if err != nil {
		return nil, err
	}
	a.parts.Add(func(ctx context.Context) { _ = a.manager.Close(ctx) }) // a lock that is not given back ends by itself
	names, configured := c.Wanted()
	a.names = names
	if configured {
		a.domains = s.DomainNames
	}
	return a, nil
}

// portFor returns the address of the port with a number, or else of the first:
// something in front of it may lead there.
func portFor(ports []net.Listener, number string) string {
	for _, p := range ports {
		if _, port, err := net.SplitHostPort(p.Addr().String()); err == nil && port == number {
			return p.Addr().String()
		}
	}
	return ports[0].Addr().String()
}

// certificate returns a certificate for a handshake at a public port.
func (a *acmeCertificates) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.manager.Certificate(hello)
}

// answering makes a handler of a public port answer challenges, too.
func (a *acmeCertificates) answering(next http.Handler) http.Handler {
	if a.manager == nil {
		return next
	}
	return a.manager.Handler(next)
}

// manage gets certificates from now on, for the names of the configuration and,
// if it says so, for the custom domain names of the store. The public ports are
// served: the authority asks at once.
func (a *acmeCertificates) manage(ctx context.Context) {
	switch {
	case a.manager == nil:
	case a.domains == nil:
		a.want(slices.Clone(a.names))
	default:
		a.parts.Add(lifetime.Start(ctx, a.followDomains).Close)
	}
}

// followDomains gets certificates for custom domain names beside those that
// always have one, until ctx ends.
func (a *acmeCertificates) followDomains(ctx context.Context) {
	wanted := map[string]bool{}
	for _, name := range a.names {
		wanted[name] = true
	}
	complete := false
	update := func() {
		if complete {
			a.want(slices.Sorted(maps.Keys(wanted)))
		}
	}
	changed := func(e store.Event[apigw.DomainName]) {
		name := e.ID[0]
		switch {
		case strings.HasPrefix(name, "*.") || slices.Contains(a.names, name) || e.Err != nil:
			return // files have those of wildcards
		case e.Deleted:
			delete(wanted, name)
		default:
			wanted[name] = true
		}
		update()
	}
	_ = a.domains.Watch(ctx, changed, func() { complete = true; update() }) // ends with ctx or the store
}

// want gets certificates for names, and for no others. One that cannot have any
// keeps no other from having one.
func (a *acmeCertificates) want(names []string) {
	names = slices.DeleteFunc(names, func(name string) bool {
		err := acme.Check(name)
		if err != nil {
			a.log.Warn("no certificate", "name", name, "error", err)
		}
		return err != nil
	})
	if err := a.manager.Manage(names); err != nil {
		a.log.Error("certificates are not managed", "error", err)
	}
}

// close ends renewals. The store is still there.
func (a *acmeCertificates) close(ctx context.Context) { a.parts.Close(ctx) }
