// Package certificate is a certificate authority for one developer's machine.
// With it local functions can reach the gateway over https by any host name:
// they trust the certificates that it signs.
//
// Nothing is installed into the system: programs are given the authority by
// environment variables such as NODE_EXTRA_CA_CERTS and SSL_CERT_FILE. The
// authority is not constrained to certain names, because an API can have any
// custom domain name. Therefore its key never leaves its folder, and only its
// owner can read that.
package certificate

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	authorityFile   = "authority.pem" // key and certificate
	certificateFile = "ca.pem"        // certificate alone
)

// Authority signs certificates for local use. It is safe for concurrent use.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey

	mu     sync.Mutex // guards what follows
	leaves map[string]*tls.Certificate
	order  []string // the keys of leaves, oldest first
}

// Open loads the authority that dir holds, or makes one that is valid for ten
// years. Processes that open the same folder at once get the same authority.
// For a damaged or expired authority the error names the file and says what to
// do.
func Open(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the local certificate authority: %w", err)
	}
	path := filepath.Join(dir, authorityFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = create(path)
	}
	if err != nil {
		return nil, fmt.Errorf("local certificate authority: %w", err)
	}
	a, err := parseAuthority(text, time.Now())
	if err != nil {
		return nil, fmt.Errorf("local certificate authority %s: %w; delete the file and start again to get a new one", path, err)
	}
	a.dir = dir
	if err := a.writeCertificate(); err != nil {
		return nil, fmt.Errorf("certificate of the local certificate authority: %w", err)
	}
	return a, nil
}

// create writes a new authority to path, unless another process has done so
// meanwhile, and returns the content of the file.
func create(path string) ([]byte, error) {
	text, err := newAuthority(time.Now())
	if err != nil {
		return nil, err
	}
	temporary, err := writeTemporary(filepath.Dir(path), text, 0o600)
	if err != nil {
		return nil, err
	}
	defer os.Remove(temporary)
	// A link to the whole file appears at once, and does not replace another
	// file.
	err = os.Link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = os.Rename(temporary, path) // the file system has no links
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// writeCertificate writes the certificate without the key to a file beside the
// authority's.
func (a *Authority) writeCertificate() error {
	want := encodeCertificate(a.cert.Raw)
	if have, err := os.ReadFile(a.CertificatePath()); err == nil && string(have) == string(want) {
		return nil
	}
	return replaceFile(a.CertificatePath(), want, 0o644)
}

// CertificatePath is the path of the file with the authority's certificate,
// without its key, in PEM. It is for NODE_EXTRA_CA_CERTS.
func (a *Authority) CertificatePath() string { return filepath.Join(a.dir, certificateFile) }

// replaceFile writes a file, so that readers see either the whole old or the
// whole new one.
func replaceFile(path string, text []byte, mode fs.FileMode) error {
	temporary, err := writeTemporary(filepath.Dir(path), text, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return err
	}
	return nil
}

func writeTemporary(dir string, text []byte, mode fs.FileMode) (path string, err error) {
	file, err := os.CreateTemp(dir, ".new-*.pem") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Chmod(mode)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}
