package lambda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// prepare gets a function ready to be started: its code is there, its runtime
// is installed, what has to be built is built.
func (h *Host) prepare(ctx context.Context, f Function) (*program, *failure) {
	prog, err := h.prepareRuntime(ctx, f)
	if err == nil {
		return prog, nil
	}
	failed := (*failure)(nil)
	if !errors.As(err, &failed) {
		failed = failuref("Runtime.Unavailable", "%v", err)
	}
	return nil, failed
}

func (h *Host) prepareRuntime(ctx context.Context, f Function) (*program, error) {
	prepare, err := runtimeOf(f.Runtime)
	if err != nil {
		return nil, err
	}
	dir, err := h.taskRoot(f)
	if err != nil {
		return nil, err
	}
	return prepare(h, ctx, f, dir)
}

// runtimeOf is what prepares functions of the named runtime.
func runtimeOf(name string) (func(*Host, context.Context, Function, string) (*program, error), error) {
	switch {
	case strings.HasPrefix(name, "nodejs"):
		return (*Host).prepareNode, nil
	case strings.HasPrefix(name, "python"):
		return (*Host).preparePython, nil
	case strings.HasPrefix(name, "provided"), name == "go1.x":
		return (*Host).prepareProvided, nil
	}
	return nil, failuref("Runtime.NotSupported",
		"runtime %q is not run here; these are: nodejs*, python*, provided* (an executable named bootstrap, or Go source) and go1.x", name)
}

// taskRoot is the folder that holds the function's code. Inline code is
// written to one in the cache first.
func (h *Host) taskRoot(f Function) (string, error) {
	if f.CodeDir != "" {
		if info, err := os.Stat(f.CodeDir); err != nil || !info.IsDir() {
			return "", failuref("Runtime.InvalidEntrypoint", "the function's code folder %s is not there", f.CodeDir)
		}
		return f.CodeDir, nil
	}
	name := "index.js"
	if strings.HasPrefix(f.Runtime, "python") {
		name = "index.py"
	}
	dir := filepath.Join(h.options.CacheDir, "inline", f.Name+"-"+digest(f.InlineCode))
	return dir, writeFile(filepath.Join(dir, name), []byte(f.InlineCode))
}

// writeFile makes the file and its folder; whoever reads it at the same time
// sees all of it or nothing.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(content); err != nil {
		temporary.Close()
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// digest names content in the cache.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
