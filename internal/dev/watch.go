package dev

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be quiet before it is read: editors save in
// several steps.
const settle = 50 * time.Millisecond

// templateWatch notices changes of the template, and of what its path and those of
// the code lead to. It watches folders, not files: that survives editors that
// replace a file.
type templateWatch struct {
	file    string // the template, absolute
	changes *fsnotify.Watcher
	folders map[string]os.FileInfo   // by path, what was there when it began to be watched
	seen    atomic.Pointer[snapshot] // what the paths led to when they were looked at last
}

// openWatch takes notice of changes from now on, so that none is lost that comes
// after the template was read.
func (s *Server) openWatch() error {
	if s.source.File == "" {
		return nil
	}
	file, err := filepath.Abs(s.source.File)
	if err != nil {
		return err
	}
	changes, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	s.parts.Add(func(context.Context) { _ = changes.Close() }) // nobody waits for changes any more
	if err := changes.Add(filepath.Dir(file)); err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	s.template = &templateWatch{file: file, changes: changes, folders: map[string]os.FileInfo{}}
	s.template.watchFor(s.snapshot())
	return nil
}

// snapshot returns what the paths of the template and of the code lead to now.
func (s *Server) snapshot() *snapshot {
	var code []string
	if running := s.running.Load(); running != nil {
		for _, f := range running.template.Functions {
			if f.CodeDir != "" && !slices.Contains(code, f.CodeDir) {
				code = append(code, f.CodeDir)
			}
		}
	}
	return takeSnapshot(s.template.file, code)
}

// watchFor has the folders of a snapshot watched, for changes of what it saw.
func (w *templateWatch) watchFor(seen *snapshot) {
	w.seen.Store(seen)
	w.watch(seen.folders)
}

// watch watches folders, and no others. One that is not there is noticed when it
// comes, by the folder above it.
func (w *templateWatch) watch(folders []string) {
	watched := w.changes.WatchList()
	for _, path := range watched {
		if !slices.Contains(folders, path) {
			_ = w.changes.Remove(path)
			delete(w.folders, path)
		}
	}
	for _, path := range folders {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if slices.Contains(watched, path) {
			if before := w.folders[path]; before != nil && os.SameFile(before, info) {
				continue
			}
			_ = w.changes.Remove(path) // another folder took its place
		}
		if w.changes.Add(path) == nil {
			w.folders[path] = info
		}
	}
}

// has reports whether a path is the template's own, or what that leads to. Where
// there is no template, none is.
func (w *templateWatch) has(path string) bool {
	return w != nil && (path == w.file || path == w.seen.Load().file)
}
