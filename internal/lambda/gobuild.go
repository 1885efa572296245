package lambda

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// buildGo builds the Go program in dir for this machine and returns the path of
// the executable. The path is the same each time, so the go command finds that
// the program is up to date if nothing has changed.
func (h *Host) buildGo(ctx context.Context, dir string) (string, error) {
	tool, err := h.lookPath("go")
	if err != nil {
		return "", failuref("Runtime.NotInstalled",
			"%s holds Go source, but there is no go command on PATH: install Go from https://go.dev/dl/", dir)
	}
	folder := filepath.Join(h.options.CacheDir, "go", filepath.Base(dir)+"-"+digest(dir))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(ctx, filepath.Join(folder, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	output := filepath.Join(folder, executableName("bootstrap"))
	defer h.announce("building the Go code in " + dir)()
	said, err := h.runTool(ctx, dir, goEnvironment(), tool, "build", "-o", output, ".")
	if err != nil {
		return "", failuref("Runtime.BuildFailed", "go build in %s failed: %v\n%s", dir, err, strings.TrimSpace(said))
	}
	return output, nil
}

// goEnvironment returns the developer's environment without the variables that
// make the go command build for another machine, such as AWS's.
func goEnvironment() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if name != "GOOS" && name != "GOARCH" {
			env = append(env, entry)
		}
	}
	return env
}
