// Package acme gets certificates from a certificate authority by the ACME
// protocol (RFC 8555) and renews them, with certmagic. Accounts, keys,
// certificates and the answers to challenges are in the gateway's store, so all
// nodes of a cluster have them, any node can answer a challenge, and only one
// at a time renews a certificate. OCSP responses are stapled where the
// certificate asks for it.
//
// Two challenges are answered: HTTP-01 by Handler, on port 80, and TLS-ALPN-01 by
// Certificate with Protocol, on port 443. One of the two has to be reachable.
//
// Package server makes one Manager for the ports that speak TLS. Package
// servertls calls it for names for which there is no certificate file.
package acme

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// LetsEncrypt is the directory of the default authority.
const LetsEncrypt = certmagic.LetsEncryptProductionCA

// Protocol is the ALPN name of the TLS-ALPN-01 challenge.
const Protocol = acmez.ACMETLS1Protocol

// Options configure a Manager.
type Options struct {
	Store Store
	// Directory is the URL of the authority; "" stands for LetsEncrypt.
	Directory string
	// Email is an address that the authority may write to; it may be "".
	Email string
	// Roots are the trusted roots for the authority's own server; nil stands
	// for the system's.
	Roots *x509.CertPool
	// KeyID and MACKey bind the account to another one at the authority
	// (external account binding); both or none.
	KeyID, MACKey string
	// HTTPAddress and TLSAddress are the addresses on this machine, host:port,
	// to which challenges come; "" disables a challenge. Both must be served
	// before Manage is called, because the authority connects at once.
	HTTPAddress, TLSAddress string
	// Log gets what happens; it may be nil.
	Log *slog.Logger
}

// Manager gets certificates and renews them. It is safe for concurrent use.
type Manager struct {
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	storage *storage

	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex // guards names and adding to jobs
	names map[string]context.CancelFunc
	jobs  sync.WaitGroup
}

// New makes a manager without names. It must be closed.
func New(o Options) (*Manager, error) {
	if o.HTTPAddress == "" && o.TLSAddress == "" {
		return nil, errors.New("ACME needs a port for challenges")
	}
	if (o.KeyID == "") != (o.MACKey == "") {
		return nil, errors.New("ACME: the key id and the MAC key of an external account must be given together")
	}
	if o.Directory == "" {
		o.Directory = LetsEncrypt
	}
	httpHost, httpPort, err := splitAddress(o.HTTPAddress)
	if err != nil {
		return nil, err
	}
	tlsHost, tlsPort, err := splitAddress(o.TLSAddress)
	if err != nil {
		return nil, err
	}
	m := &Manager{names: make(map[string]context.CancelFunc)}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.storage = &storage{store: o.Store, locks: newLocks(o.Store, rand.Text())}
	logger := newLogger(o.Log)
	m.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return m.config, nil },
		Logger:           logger,
	})
	m.config = certmagic.New(m.cache, certmagic.Config{Storage: m.storage, Logger: logger})
	template := certmagic.ACMEIssuer{
		CA: o.Directory, Email: o.Email, Agreed: true, TrustedRoots: o.Roots, Logger: logger,
		DisableHTTPChallenge: o.HTTPAddress == "", DisableTLSALPNChallenge: o.TLSAddress == "",
		ListenHost: firstOf(httpHost, tlsHost), AltHTTPPort: httpPort, AltTLSALPNPort: tlsPort,
	}
	if o.KeyID != "" {
		template.ExternalAccount = &acme.EAB{KeyID: o.KeyID, MACKey: o.MACKey}
	}
	m.issuer = certmagic.NewACMEIssuer(m.config, template)
	m.config.Issuers = []certmagic.Issuer{m.issuer}
	return m, nil
}

func splitAddress(address string) (host string, port int, err error) {
	if address == "" {
		return "", 0, nil
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("ACME: address of challenges: %w", err)
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		return "", 0, fmt.Errorf("ACME: address of challenges: %w", err)
	}
	return host, port, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Manage sets the names that have certificates. It does not wait: certificates
// of new names are loaded from the store or fetched from the authority in the
// background, and tried again until there is one. Names that are not in the
// list any more have no certificate any more. Wildcards are an error, because
// they need a challenge by DNS.
func (m *Manager) Manage(names []string) error {
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if err := Check(name); err != nil {
			return err
		}
		wanted[name] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return errors.New("ACME: the manager is closed")
	}
	var gone []certmagic.SubjectIssuer
	for name, cancel := range m.names {
		if !wanted[name] {
			cancel()
			delete(m.names, name)
			gone = append(gone, certmagic.SubjectIssuer{Subject: name})
		}
	}
	m.cache.RemoveManaged(gone)
	for name := range wanted {
		if m.names[name] == nil {
			ctx, cancel := context.WithCancel(m.ctx)
			m.names[name] = cancel
			m.jobs.Go(func() { m.obtain(ctx, name) })
		}
	}
	return nil
}

// Check returns an error if a name cannot have a certificate by ACME.
func Check(name string) error {
	if strings.Contains(name, "*") {
		return fmt.Errorf("ACME: %s: a wildcard needs a certificate file", name)
	}
	if !certmagic.SubjectQualifiesForCert(name) {
		return fmt.Errorf("ACME: %q cannot have a certificate", name)
	}
	return nil
}

// obtain tries to get a certificate for a name, until there is one or ctx ends.
func (m *Manager) obtain(ctx context.Context, name string) {
	const first, most = time.Minute, 6 * time.Hour
	for wait := first; ; wait = min(2*wait, most) {
		err := m.config.ManageSync(ctx, []string{name})
		if err == nil || ctx.Err() != nil {
			return
		}
		m.config.Logger.Sugar().Errorw("no certificate yet", "name", name, "again_in", wait.String(), "error", err.Error())
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Certificate returns the certificate for the name that a client asks for, or
// the one that answers a TLS-ALPN-01 challenge. It is a
// servertls.Options.Managed.
func (m *Manager) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" && !slices.Contains(hello.SupportedProtos, Protocol) {
		return nil, errors.New("the client names no host")
	}
	return m.config.GetCertificate(hello)
}

// Handler answers HTTP-01 challenges, which come by plain HTTP, and passes all
// other requests to next.
func (m *Manager) Handler(next http.Handler) http.Handler {
	return m.issuer.HTTPChallengeHandler(next)
}

// Close ends renewals, and releases the locks that this node holds.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.cancel()
	m.mu.Unlock()
	m.jobs.Wait()
	m.cache.Stop()
	return m.storage.locks.close(ctx)
}
