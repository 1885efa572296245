// Package servertls is the TLS side of a listener: certificates from files that
// are read again when they change, one for each host name, certificates from
// elsewhere (package acme) for names that no file has, versions and ciphers by
// a policy, and client certificates.
//
// Package server makes one Certificates for each port that speaks TLS.
package servertls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/tlsrecord"
)

// Options configure the TLS of a port.
type Options struct {
	// Files are the certificates. The first one is for clients that name no
	// host, or one for which there is no certificate.
	Files []Pair
	// Managed returns a certificate for a name that no file has, or an error.
	// It may be nil.
	Managed func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Protocols are spoken beside http/1.1, by their ALPN names: acme-tls/1,
	// for the TLS-ALPN-01 challenge. HTTP/2 must not be among them: a WebSocket
	// begins with HTTP/1.1.
	Protocols []string
	// Policy bounds the versions and ciphers.
	Policy Policy
	// Records choose the record layer.
	Records Records
	// ClientCAs is a PEM file with the authorities whose client certificates
	// are let in. Where it is set a client without one is refused.
	ClientCAs string
	// Report is called with the error of files that have changed and cannot be
	// used; the content before stays in use. It may be nil.
	Report func(error)
	// Interval is the time between two looks at the files; 0 stands for 10 s.
	Interval time.Duration
}

// Pair names a certificate and its key, PEM files. The certificate's file holds
// the chain, the server's own first.
type Pair struct{ CertFile, KeyFile string }

// Certificates is the TLS of one port. It is safe for concurrent use.
type Certificates struct {
	options Options
	secrets *tlsrecord.Secrets // nil: the records are not compact
	current atomic.Pointer[material]

	mu   sync.Mutex // held by who reads the files; guards what follows
	read []*pairFile
	cas  *caFile
}

// material is what handshakes use. It is immutable.
type material struct {
	byName map[string]*tls.Certificate // in lower case; "*." for wildcards
	first  *tls.Certificate            // nil: there are no files
	config *tls.Config                 // with the policy's versions and ciphers
}

// New reads the files. The error names the one that cannot be used.
func New(o Options) (*Certificates, error) {
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.Interval == 0 {
		o.Interval = 10 * time.Second
	}
	if len(o.Files) == 0 && o.Managed == nil {
		return nil, errors.New("TLS has no certificate")
	}
	c := &Certificates{options: o}
	if o.Records.Compact {
		c.secrets = new(tlsrecord.Secrets)
	}
	if o.ClientCAs != "" {
		c.cas = &caFile{path: o.ClientCAs}
		if _, err := c.cas.load(); err != nil {
			return nil, err
		}
	}
	if err := c.Use(o.Files); err != nil {
		return nil, err
	}
	return c, nil
}

// Use replaces the files, all at once. If it returns an error, the files before
// stay in use.
func (c *Certificates) Use(files []Pair) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var read []*pairFile
	for _, pair := range files {
		file := &pairFile{Pair: pair}
		if _, err := file.load(); err != nil {
			return err
		}
		read = append(read, file)
	}
	c.read = read
	c.publishLocked()
	return nil
}

// Watch looks at the files until ctx ends.
func (c *Certificates) Watch(ctx context.Context) {
	tick := time.NewTicker(c.options.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.Reload()
		}
	}
}

// Reload looks at the files now. It reports files that cannot be used, once for
// each change.
func (c *Certificates) Reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	look := func(load func() (bool, error)) {
		loaded, err := load()
		changed = changed || loaded
		if err != nil {
			c.options.Report(fmt.Errorf("the certificates before stay in use: %w", err))
		}
	}
	for _, file := range c.read {
		look(file.load)
	}
	if c.cas != nil {
		look(c.cas.load)
	}
	if changed {
		c.publishLocked()
	}
}

// publishLocked makes the files that were read the material of new handshakes.
func (c *Certificates) publishLocked() {
	m := &material{byName: make(map[string]*tls.Certificate)}
	for _, file := range slices.Backward(c.read) { // the first file that has a name gives it
		for _, name := range names(file.certificate.Leaf) {
			m.byName[name] = file.certificate
		}
		m.first = file.certificate
	}
	base := &tls.Config{
		GetCertificate: c.certificate,
		NextProtos:     append([]string{"http/1.1"}, c.options.Protocols...),
	}
	if c.cas != nil {
		base.ClientAuth, base.ClientCAs = tls.RequireAndVerifyClientCert, c.cas.pool
		// A ticket could be used after its client's authority was removed.
		base.SessionTicketsDisabled = true
	}
	c.watchSecrets(base)
	m.config = c.options.Policy.config(base)
	c.current.Store(m)
}

// TLSConfig returns a server's configuration, which always uses the newest
// files.
func (c *Certificates) TLSConfig() *tls.Config {
	config := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     append([]string{"http/1.1"}, c.options.Protocols...),
		GetCertificate: c.certificate,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.current.Load().config, nil
		},
	}
	c.watchSecrets(config)
	return config
}

// watchSecrets has compact records know the keys of connections, whose handshakes are made with a
// configuration.
func (c *Certificates) watchSecrets(config *tls.Config) {
	if c.secrets != nil {
		c.secrets.Config(config)
	}
}

// certificate chooses by the name that the client asks for: a file's, then a
// managed one, then the first file.
func (c *Certificates) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	m := c.current.Load()
	name := serverName(hello)
	challenge := len(hello.SupportedProtos) == 1 && slices.Contains(c.options.Protocols, hello.SupportedProtos[0])
	if !challenge {
		if certificate := m.find(name); certificate != nil {
			return certificate, nil
		}
	}
	if c.options.Managed == nil {
		return m.fallback(name)
	}
	certificate, err := c.options.Managed(hello)
	if err == nil && certificate != nil || challenge {
		return certificate, err
	}
	return m.fallback(name)
}

func (m *material) find(name string) *tls.Certificate {
	if certificate := m.byName[name]; certificate != nil || name == "" {
		return certificate
	}
	_, parent, _ := strings.Cut(name, ".")
	return m.byName["*."+parent]
}

func (m *material) fallback(name string) (*tls.Certificate, error) {
	if m.first == nil {
		return nil, fmt.Errorf("no certificate for %q", name)
	}
	return m.first, nil
}

// serverName is the name that a client asks for, as the names of certificates
// are kept.
func serverName(hello *tls.ClientHelloInfo) string {
	return strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
}

// names returns the hosts that a certificate is for: its common name if it has
// no other names, as certificates of old private authorities, which not all
// clients accept.
func names(leaf *x509.Certificate) []string {
	var list []string
	for _, name := range leaf.DNSNames {
		list = append(list, strings.ToLower(name))
	}
	if len(list) == 0 && len(leaf.IPAddresses) == 0 && leaf.Subject.CommonName != "" {
		list = append(list, strings.ToLower(leaf.Subject.CommonName))
	}
	return list
}

// pairFile is a pair, with the certificate as it was read last.
type pairFile struct {
	Pair
	seen        [2]string // the files' contents at the last look
	certificate *tls.Certificate
}

// load reads the files. changed reports whether there is another certificate
// now; after an error it is still the one before. Contents that are the same as
// at the last look are not checked again.
func (f *pairFile) load() (changed bool, err error) {
	cert, err := os.ReadFile(f.CertFile)
	if err != nil {
		return false, f.unreadable(err)
	}
	key, err := os.ReadFile(f.KeyFile)
	if err != nil {
		return false, f.unreadable(err)
	}
	if seen := [2]string{string(cert), string(key)}; f.seen != seen {
		f.seen = seen
	} else {
		return false, nil
	}
	certificate, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return false, fmt.Errorf("certificate %s with key %s: %w", f.CertFile, f.KeyFile, err)
	}
	if expiry := certificate.Leaf.NotAfter; f.certificate != nil && time.Now().After(expiry) {
		return false, fmt.Errorf("certificate %s expired on %s", f.CertFile, expiry.Format(time.DateOnly))
	}
	f.certificate = &certificate
	return true, nil
}

// unreadable returns an error once, and then nil until the files can be read
// again.
func (f *pairFile) unreadable(err error) error {
	if mark := [2]string{"", err.Error()}; f.certificate == nil || f.seen != mark {
		f.seen = mark
		return fmt.Errorf("certificate: %w", err)
	}
	return nil
}

// caFile is a file of authorities, with its content as it was read last.
type caFile struct {
	path string
	seen string
	pool *x509.CertPool
}

func (f *caFile) load() (changed bool, err error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		if mark := "error: " + err.Error(); f.pool == nil || f.seen != mark {
			f.seen = mark
			return false, fmt.Errorf("authorities of client certificates: %w", err)
		}
		return false, nil
	}
	if f.seen == string(text) {
		return false, nil
	}
	f.seen = string(text)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return false, fmt.Errorf("authorities of client certificates: %s holds no certificate", f.path)
	}
	f.pool = pool
	return true, nil
}
