package certificate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// The places where systems keep their trusted roots, as Go itself looks for
// them. macOS has a file as well as its keychain; Windows has none.
var (
	rootFiles = []string{
		"/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora, RHEL 6
		"/etc/ssl/ca-bundle.pem",                            // openSUSE
		"/etc/pki/tls/cacert.pem",                           // OpenELEC
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL 7
		"/etc/ssl/cert.pem",                                 // Alpine, macOS, OpenBSD
		"/usr/local/etc/ssl/cert.pem",                       // FreeBSD
		"/usr/local/share/certs/ca-root-nss.crt",            // FreeBSD
		"/etc/openssl/certs/ca-certificates.crt",            // NetBSD
	}
	rootDirs = []string{"/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/openssl/certs", "/usr/local/share/certs"}
)

// WriteBundle writes the system's trusted roots and this authority to path as
// one PEM file, for the variables that replace the trusted roots of a program
// (SSL_CERT_FILE, AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE).
//
// The roots are those of SSL_CERT_FILE and SSL_CERT_DIR where they are set,
// else of the well-known files and folders. On a system that does not keep its
// roots in files, such as Windows, the file has only the authority, and a
// program that uses it trusts no public server. A file that was made of the same
// certificates is left as it is.
func (a *Authority) WriteBundle(path string) error {
	roots, err := systemRoots()
	if err != nil {
		return fmt.Errorf("trusted roots of the system: %w", err)
	}
	if a.isWritten(path, roots) {
		return nil
	}
	bundle := encodeCertificate(a.cert.Raw)
	seen := map[string]bool{string(a.cert.Raw): true}
	for block, rest := pem.Decode(roots); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" || seen[string(block.Bytes)] {
			continue
		}
		seen[string(block.Bytes)] = true
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			continue // Go's own reader passes over it too
		}
		bundle = append(bundle, encodeCertificate(block.Bytes)...)
	}
	bundle = append([]byte(a.origin(roots, len(bundle))), bundle...)
	if err := replaceFile(path, bundle, 0o644); err != nil {
		return fmt.Errorf("bundle of trusted roots: %w", err)
	}
	return nil
}

// origin returns the line that begins a bundle of some bytes, by which it is known
// again: it names the roots and the authority of which it was made. Readers of PEM
// pass over it.
func (a *Authority) origin(roots []byte, size int) string {
	sum := sha256.New()
	sum.Write(a.cert.Raw)
	sum.Write(roots)
	return fmt.Sprintf("# %d bytes made by Stagedoor of %x\n", size, sum.Sum(nil))
}

// isWritten reports whether a file is a bundle of some roots and this authority.
func (a *Authority) isWritten(path string, roots []byte) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	if err != nil {
		return false
	}
	info, err := file.Stat()
	return err == nil && line == a.origin(roots, int(info.Size())-len(line))
}

// systemRoots returns the PEM text of the first source that has any. A file
// that an environment variable names must be readable.
func systemRoots() ([]byte, error) {
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		return os.ReadFile(file)
	}
	if dirs := os.Getenv("SSL_CERT_DIR"); dirs != "" {
		return readFolders(filepath.SplitList(dirs)), nil
	}
	for _, file := range rootFiles {
		if text, err := os.ReadFile(file); err == nil {
			return text, nil
		}
	}
	return readFolders(rootDirs), nil
}

// readFolders returns the contents of every file in the first folder that has
// any. Content that is not PEM is there as well; the decoder ignores it.
func readFolders(dirs []string) []byte {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		var all bytes.Buffer
		for _, entry := range entries {
			if text, err := os.ReadFile(filepath.Join(dir, entry.Name())); err == nil {
				all.Write(text)
				all.WriteByte('\n')
			}
		}
		if all.Len() > 0 {
			return all.Bytes()
		}
	}
	return nil
}
