package lambda

import (
	"context"
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

// bootstrap returns the path of the executable to run. Go source goes before an
// executable beside it, which was built for AWS.
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
