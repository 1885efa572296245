package lambda

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// codeRoots are the folders whose content is the function's code.
func codeRoots(f Function) []string {
	if f.CodeDir == "" {
		return nil
	}
	dir := filepath.Clean(f.CodeDir)
	if source, _ := filepath.Glob(filepath.Join(dir, "*.go")); len(source) > 0 {
		if module := goModule(dir); module != dir {
			return []string{dir, module}
		}
	}
	return append([]string{dir}, f.Layers...)
}

// goModule is the folder of the Go module that dir belongs to, or dir.
func goModule(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// concerns says whether the change of a file below one of a function's roots
// is one of the function: of a Go module outside of the function's own folder
// only the source is.
func concerns(f Function, path string) bool {
	dir := filepath.Clean(f.CodeDir)
	if path == dir || isBelow(dir, path) || isBelow(path, dir) {
		return true
	}
	for _, layer := range f.Layers {
		if isBelow(layer, path) {
			return true
		}
	}
	name := filepath.Base(path)
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") || name == "go.mod" || name == "go.sum"
}

// watchLocked follows the code of the functions that are served.
func (h *Host) watchLocked() error {
	if h.watcher == nil {
		return nil
	}
	roots := map[string]bool{}
	for _, served := range h.functions {
		for _, root := range served.roots {
			roots[root] = true
		}
	}
	return h.watcher.watch(roots)
}

// collectChanges takes events from the system until the host is closed.
func (h *Host) collectChanges() {
	files := h.watcher.files
	defer func() { _ = files.Close() }()
	for {
		select {
		case event, open := <-files.Events:
			if !open {
				return
			}
			h.watcher.note(event)
		case err, open := <-files.Errors:
			if !open {
				return
			}
			h.notice("", "", "changes of code may have been missed: "+err.Error())
		case <-h.ctx.Done():
			return
		}
	}
}

// followChanges renews functions whose code has changed, until the host is
// closed. From the change to the renewal, invocations wait.
func (h *Host) followChanges() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	changed := map[string]string{} // by function, a file that changed
	var since time.Time            // of the first change
	for {
		select {
		case <-h.watcher.news:
			quiet := len(changed) == 0
			if !h.holdChanged(changed) {
				continue
			}
			if quiet {
				since = time.Now()
			}
			timer.Reset(min(settleTime, max(0, time.Until(since.Add(maxUnsettled)))))
		case <-timer.C:
			h.renew(changed)
			clear(changed)
		case <-h.ctx.Done():
			return
		}
	}
}

// holdChanged holds the functions that the newest events concern, and says
// whether there are any.
func (h *Host) holdChanged(changed map[string]string) bool {
	found := false
	for path, op := range h.watcher.take() {
		if roots := h.watcher.changed(path, op); len(roots) > 0 {
			found = h.hold(roots, path, changed) || found
		}
	}
	return found
}

// hold makes invocations of the functions with these roots wait, and notes the
// functions. It says whether there are any.
func (h *Host) hold(roots []string, path string, changed map[string]string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := false
	for name, served := range h.functions {
		touched := slices.ContainsFunc(roots, func(root string) bool { return slices.Contains(served.roots, root) })
		if !touched || !concerns(served.function, path) {
			continue
		}
		// What an editor wrote for a moment and moved away means nothing to the user.
		if noted, known := changed[name]; !known || !exists(noted) {
			changed[name] = path
		}
		if served.unsettled == nil {
			served.unsettled = make(chan struct{})
		}
		found = true
	}
	return found
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// renew gives the functions a new pool, which takes the code as it is now, and
// lets the invocations that wait go on. Preparing begins at once, so that what
// doesn't build is told when it is saved.
func (h *Host) renew(changed map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		h.notice(name, "", filepath.Base(changed[name])+" changed: the next invocation runs the new code")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name := range changed {
		served, ok := h.functions[name]
		if !ok || h.closed {
			continue
		}
		fresh := newPool(h, served.function)
		served.retire()
		served.pool = fresh
		h.background.Go(func() { _, _ = fresh.prepare(h.ctx) }) // failures are told and kept by the pool
	}
}
