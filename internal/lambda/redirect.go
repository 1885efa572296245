package lambda

import (
	"net"
	"os"
	"path/filepath"
	"strings"
)

// hookRedirect sets the variables for the hooks of Node.js and Python, and
// excludes the redirected hosts from the developer's own proxy.
func (h *Host) hookRedirect(env environment) {
	redirect := h.options.Redirect
	if redirect.Address == "" {
		return
	}
	env["STAGEDOOR_REDIRECT_ADDRESS"] = redirect.Address
	env["STAGEDOOR_REDIRECT_HOSTS"] = strings.Join(redirect.Hosts, ",")
	direct := []string{"127.0.0.1", "localhost"}
	for _, pattern := range redirect.Hosts {
		// Proxy settings only have suffixes, so the region has to be filled in.
		direct = append(direct, strings.ReplaceAll(strings.TrimPrefix(pattern, "*"), "*", h.options.Region))
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if env[name] != "" {
			direct = append(direct, env[name])
		}
	}
	env["NO_PROXY"] = strings.Join(direct, ",")
	env["no_proxy"] = env["NO_PROXY"]
}

// withOwnCertificates returns a file with the certificates of the file that a
// function's setting names, and the local authority's. A setting whose file
// does not exist here, such as AWS's /var/runtime/ca-cert.pem, is ignored.
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

// proxyToRedirect sends the calls of a program that has no hook of ours
// through the redirect's proxy.
func (h *Host) proxyToRedirect(f Function, env environment) {
	if h.options.Redirect.Address == "" {
		return
	}
	proxy := "http://" + h.options.Redirect.Address
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		delete(env, strings.ToLower(name))
		env[name] = proxy
		if own, ok := f.Environment[name]; ok {
			env[name] = own
		}
	}
	delete(env, "no_proxy")
	env["NO_PROXY"] = "127.0.0.1,localhost,::1,169.254.169.254"
	if host, _, err := net.SplitHostPort(h.options.Redirect.Address); err == nil {
		env["NO_PROXY"] += "," + host
	}
	if own, ok := f.Environment["NO_PROXY"]; ok {
		env["NO_PROXY"] += "," + own
	}
}
