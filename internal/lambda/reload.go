package lambda

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// codeRoots returns the folders whose content is the function's code.
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

// goModule returns the folder of the Go module that dir belongs to, or dir.
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

// concerns reports whether a file below one of a function's roots is part of
// the function. Of a Go module, only Go source is part of it outside of the
// function's own folder.
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

// watchLocked watches the code of the functions that are served.
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

// collectChanges takes events from the system as they come, until the host is
// closed.
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
// closed. Invocations wait from the change to the renewal.
func (h *Host) followChanges() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	changed := map[string]string{} // a file that changed, by function
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

// holdChanged holds the functions whose code the newest events are about, and
// reports whether there are any. It mutes files that change all the time.
func (h *Host) holdChanged(changed map[string]string) bool {
	found := false
	for path, op := range h.watcher.take() {
		roots := h.watcher.changed(path, op)
		if len(roots) == 0 || h.options.NotCode(path) {
			continue
		}
		names := h.concerned(roots, path)
		if len(names) == 0 {
			continue
		}
		if muted, first := h.mutes.changed(path, time.Now()); muted {
			if first {
				h.notice("", "", filepath.Base(path)+" changes all the time: it is not taken for code any more")
			}
			continue
		}
		h.hold(names, path, changed)
		found = true
	}
	return found
}

// concerned returns the functions with one of these roots whose code the file
// at path is part of.
func (h *Host) concerned(roots []string, path string) (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, served := range h.functions {
		touched := slices.ContainsFunc(roots, func(root string) bool { return slices.Contains(served.roots, root) })
		if touched && concerns(served.function, path) && !h.gitignores.name(served.function, path) {
			names = append(names, name)
		}
	}
	return names
}

// hold makes invocations of the functions wait, and notes the file that changed.
func (h *Host) hold(names []string, path string, changed map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range names {
		served := h.functions[name]
		if served == nil {
			continue
		}
		// An editor's temporary file, which is gone already, is not named if
		// there is another.
		if noted, known := changed[name]; !known || !exists(noted) {
			changed[name] = path
		}
		if served.unsettled == nil {
			served.unsettled = make(chan struct{})
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// renew gives the functions a new pool, which runs the code as it is now, and
// lets the invocations go on that wait for it. The pool is prepared at once, so
// that code that doesn't build is reported when it is saved.
func (h *Host) renew(changed map[string]string) {
	h.tellChanged(changed)
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
		h.background.Go(func() { _, _ = fresh.prepare(h.ctx) }) // the pool reports a failure, and keeps it
	}
}

// tellChanged reports the files that changed, each in one notice for all
// functions that it is part of.
func (h *Host) tellChanged(changed map[string]string) {
	byFile := map[string][]string{}
	for name, path := range changed {
		byFile[path] = append(byFile[path], name)
	}
	for _, path := range slices.Sorted(maps.Keys(byFile)) {
		names := byFile[path]
		if len(names) == 1 {
			h.notice(names[0], "", filepath.Base(path)+" changed: the next invocation runs the new code")
			continue
		}
		h.notice("", "", fmt.Sprintf("%s changed: the next invocations of %d functions run the new code", filepath.Base(path), len(names)))
	}
}
