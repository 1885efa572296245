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

// preparation is one attempt at getting a function ready to start.
type preparation struct {
	done    chan struct{} // closed at its end; program or failed is then set
	program *program
	failed  *failure
}

// prepare gets the program ready, once for all callers. It goes on when the
// caller's context ends, until the host is closed. After a failure, the next
// caller tries again.
func (p *pool) prepare(ctx context.Context) (*program, error) {
	p.mu.Lock()
	if p.retired {
		p.mu.Unlock()
		return nil, errRetired
	}
	current := p.preparation
	if current == nil || current.finished() && current.failed != nil {
		current = &preparation{done: make(chan struct{})}
		p.preparation = current
		p.host.background.Go(func() {
			defer close(current.done)
			current.program, current.failed = p.host.prepare(p.host.ctx, p.function)
			p.tellFailure(current.failed)
		})
	}
	p.mu.Unlock()
	select {
	case <-current.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if current.failed != nil {
		return nil, current.failed
	}
	return current.program, nil
}

// tellFailure logs why a function can't be started, unless it failed in the
// same way before.
func (p *pool) tellFailure(failed *failure) {
	message := ""
	if failed != nil && p.host.ctx.Err() == nil {
		message = failed.Message
	}
	p.mu.Lock()
	news := message != p.lastFailure
	p.lastFailure = message
	p.mu.Unlock()
	if news {
		p.host.notice(p.function.Name, "", message)
	}
}

func (p *preparation) finished() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// prepare gets a function ready to be started: it checks that the code is there
// and the runtime is installed, and builds what has to be built.
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
	if f.Unavailable != "" {
		return nil, failuref("Runtime.CodeUnavailable", "%s", f.Unavailable)
	}
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

// runtimeOf returns the method that prepares functions of the named runtime.
func runtimeOf(name string) (func(*Host, context.Context, Function, string) (*program, error), error) {
	switch {
	case strings.HasPrefix(name, "nodejs"):
		return (*Host).prepareNode, nil
	case strings.HasPrefix(name, "python"):
		return (*Host).preparePython, nil
	case strings.HasPrefix(name, "provided"), name == "go1.x":
		return (*Host).prepareProvided, nil
	}
	return nil, failuref("Runtime.NotSupported", "runtime %q is not run here; these are: %s", name, families)
}

// taskRoot returns the folder that has the function's code. It writes inline
// code to a folder of the cache first.
func (h *Host) taskRoot(f Function) (string, error) {
	if f.CodeDir != "" {
		info, err := os.Stat(f.CodeDir)
		if err != nil {
			return "", failuref("Runtime.InvalidEntrypoint", "the function's code folder %s is not there", f.CodeDir)
		}
		if !info.IsDir() {
			return "", failuref("Runtime.InvalidEntrypoint", "the function's code %s is not a folder", f.CodeDir)
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

// writeFile makes a file and its folder. A reader at the same time sees the
// whole file or none.
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

// digest returns a name for content in the cache.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
