package lambda

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// prepareProvided gets a function ready that speaks the Runtime API itself: an
// executable named bootstrap in its folder or a layer, or Go source.
func (h *Host) prepareProvided(ctx context.Context, f Function, dir string) (*program, error) {
	path, err := h.bootstrap(ctx, f, dir)
	if err != nil {
		return nil, err
	}
	env := h.baseEnvironment(f, dir, dir)
	h.proxyToRedirect(f, env)
	return &program{path: path, dir: dir, env: env.list()}, nil
}

// bootstrap is the path of what to run. Go source wins over an executable
// beside it, which is a build for AWS.
func (h *Host) bootstrap(ctx context.Context, f Function, dir string) (string, error) {
	if source, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(source) > 0 {
		return h.buildGo(ctx, dir)
	}
	tried := []string{}
	for _, folder := range append([]string{dir}, f.Layers...) {
		path := filepath.Join(folder, executableName("bootstrap"))
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			tried = append(tried, path)
			continue
		}
		if runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
			return "", failuref("Runtime.InvalidEntrypoint", "%s is not executable: chmod +x it", path)
		}
		return path, nil
	}
	return "", failuref("Runtime.InvalidEntrypoint",
		"Couldn't find valid bootstrap(s): [%s], and no Go source in %s", strings.Join(tried, " "), dir)
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
