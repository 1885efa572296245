package lambda

import (
	"os"
	"path/filepath"
)

// withOwnCertificates is a file with the certificates that a function's
// setting names and the local authority's. A setting whose file does not exist
// here, as /var/runtime/ca-cert.pem of AWS, counts for nothing.
func (h *Host) withOwnCertificates(setting string) string {
	local := h.options.Redirect.CAFile
	if setting == "" || setting == local {
		return local
	}
	own, err := os.ReadFile(setting)
	if err != nil {
		return local
	}
	authority, err := os.ReadFile(local)
	if err != nil {
		return setting
	}
	both := append(append(own, '\n'), authority...)
	path := filepath.Join(h.options.CacheDir, "certificates", digest(string(both))+".pem")
	if err := writeFile(path, both); err != nil {
		h.noticeOnce("", "write certificates for functions: "+err.Error())
		return local
	}
	return path
}
