package dev

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be quiet before it is read: editors save in
// several steps.
const settle = 50 * time.Millisecond

// templateWatch notices changes of the template. It watches folders, not the file:
// that survives editors that replace it.
type templateWatch struct {
	file    string // the template, absolute
	changes *fsnotify.Watcher
	folders map[string]os.FileInfo // by path, what was there when it began to be watched
}

// startWatching takes notice of changes from now on, so that none is lost that
// comes after the template was read.
func (d *dev) startWatching() error {
	if d.source.File == "" {
		return nil
	}
	file, err := filepath.Abs(d.source.File)
	if err != nil {
		return err
	}
	changes, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	d.template = &templateWatch{file: file, changes: changes, folders: map[string]os.FileInfo{}}
	if err := changes.Add(filepath.Dir(file)); err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	d.watchFor(d.snapshot())
	return nil
}

// snapshot is what the paths of the template and of the code lead to now.
func (d *dev) snapshot() *snapshot {
	var code []string
	if running := d.running.Load(); running != nil {
		for _, f := range running.template.Functions {
			if f.CodeDir != "" && !slices.Contains(code, f.CodeDir) {
				code = append(code, f.CodeDir)
			}
		}
	}
	return takeSnapshot(d.template.file, code)
}

// watchFor has the folders of a snapshot watched, for changes of what it saw.
func (d *dev) watchFor(seen *snapshot) {
	d.seen.Store(seen)
	d.template.watch(seen.folders)
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

// isTemplate reports whether a path is the template's own, or what that leads to.
func (d *dev) isTemplate(path string) bool {
	return d.template != nil && (path == d.template.file || path == d.seen.Load().file)
}

// watch puts the template into effect again whenever it, or what its path and
// those of the code lead to, changes, until ctx ends.
func (d *dev) watch(ctx context.Context) {
	if d.template == nil {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-d.template.changes.Events:
			if event.Op == fsnotify.Chmod {
				continue
			}
			if event.Has(fsnotify.Rename) || event.Has(fsnotify.Remove) {
				d.template.watch(d.seen.Load().folders) // one that was moved is watched no more, nor what took its place
			}
			if d.isTemplate(filepath.Clean(event.Name)) || !d.snapshot().same(d.seen.Load()) {
				timer.Reset(settle)
			}
		case err := <-d.template.changes.Errors:
			d.config.Reporter.Rejected(err)
		case <-timer.C:
			seen := d.snapshot()
			d.reload()
			d.watchFor(d.snapshot())      // the template may name other folders now
			if !d.snapshot().same(seen) { // also while it was not watched yet
				timer.Reset(settle)
			}
		}
	}
}

func (d *dev) reload() {
	loaded, err := d.load()
	if err != nil {
		d.config.Reporter.Rejected(err)
		return
	}
	described, err := d.apply(loaded)
	if err != nil {
		d.config.Reporter.Rejected(err)
		return
	}
	d.functions.Prepare()
	d.config.Reporter.Reloaded(described)
	d.noticeRestart()
}
