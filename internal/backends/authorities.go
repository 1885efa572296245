// Package backends wires what integrations and authorizers call: functions, wherever
// they run, and those whom HTTP backends are trusted by. `dev` and `serve` share it.
package backends

import (
	"crypto/x509"
	"fmt"
	"os"
)

// TrustedCAs is the system's authorities with those of a file; nil stands for the
// system's alone.
func TrustedCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}
