package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tlsFlags are the authorities that a command trusts for the gateway's
// certificate, and its own client certificate.
type tlsFlags struct {
	CA   string `name:"ca" placeholder:"FILE" type:"path" help:"Authorities to trust for the gateway's certificate, in PEM, in place of the system's."`
	Cert string `placeholder:"FILE" type:"path" help:"Client certificate for the gateway, in PEM."`
	Key  string `placeholder:"FILE" type:"path" help:"Key of the client certificate, in PEM."`
}

// config reads the files. An error is a mistake in the flags.
func (f *tlsFlags) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		text, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--ca: %s holds no PEM certificate", f.CA)
		}
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, errors.New("--cert and --key go together: a certificate, and the key that belongs to it")
	}
	if f.Cert != "" {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("--cert and --key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
