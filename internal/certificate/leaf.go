package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strings"
	"time"
)

const (
	leafLifetime = 396 * 24 * time.Hour // with the clock skew: at most 397 days, which is what clients accept
	maxLeaves    = 256
)

// TLSConfig returns a server's configuration that answers each client with a
// certificate for the name it asks for. A client that names no host, because it
// has dialled an IP address, gets a certificate for localhost, 127.0.0.1, ::1
// and the address it dialled. A name that cannot be a host's ends the
// handshake.
func (a *Authority) TLSConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: a.getCertificate}
}

func (a *Authority) getCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName != "" {
		name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
		if !isHostname(name) {
			return nil, fmt.Errorf("certificate for %q: not a host name", hello.ServerName)
		}
		return a.leaf(name, &x509.Certificate{DNSNames: []string{name}})
	}
	names := &x509.Certificate{
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	dialled := localIP(hello.Conn)
	if dialled == nil || dialled.IsLoopback() && (dialled.Equal(names.IPAddresses[0]) || dialled.Equal(names.IPAddresses[1])) {
		return a.leaf("localhost:", names)
	}
	names.IPAddresses = append(names.IPAddresses, dialled)
	return a.leaf("localhost:"+dialled.String(), names)
}

func localIP(conn net.Conn) net.IP {
	if conn == nil {
		return nil
	}
	if addr, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return addr.IP
	}
	return nil
}

// leaf returns the certificate that is kept under key, or issues one for names
// and keeps it. The oldest is dropped when too many are kept.
func (a *Authority) leaf(key string, names *x509.Certificate) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	leaf, known := a.leaves[key]
	if known && now.Add(clockSkew).Before(leaf.Leaf.NotAfter) {
		return leaf, nil
	}
	leaf, err := a.issue(names, now)
	if err != nil {
		return nil, fmt.Errorf("certificate for %q: %w", key, err)
	}
	if !known {
		if len(a.order) == maxLeaves {
			delete(a.leaves, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, key)
	}
	a.leaves[key] = leaf
	return leaf, nil
}

func (a *Authority) issue(names *x509.Certificate, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := *names
	template.SerialNumber = serial
	template.Subject = pkix.Name{Organization: []string{"Stagedoor"}, CommonName: "Stagedoor local"}
	template.NotBefore = now.Add(-clockSkew)
	template.NotAfter = now.Add(leafLifetime)
	if template.NotAfter.After(a.cert.NotAfter) {
		template.NotAfter = a.cert.NotAfter
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.BasicConstraintsValid = true

	der, err := x509.CreateCertificate(rand.Reader, &template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// isHostname reports whether name, in lower case, is a host name by RFC 1123;
// underscores, which some DNS names have, are allowed too.
func isHostname(name string) bool {
	if len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}
