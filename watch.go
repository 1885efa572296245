package stagedoor

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

// watching is what is watched for changes of the template: folders, not the file,
// which survives editors that replace it.
type watching struct {
	file    string // the template, absolute
	files   *fsnotify.Watcher
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
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	d.watching = &watching{file: file, files: files, folders: map[string]os.FileInfo{}}
	if err := files.Add(filepath.Dir(file)); err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	d.follow(d.look())
	return nil
}

// look finds out what the paths of the template and of the code lead to now.
func (d *dev) look() *follows {
	var code []string
	if running := d.running.Load(); running != nil {
		for _, f := range running.template.Functions {
			if f.CodeDir != "" && !slices.Contains(code, f.CodeDir) {
				code = append(code, f.CodeDir)
			}
		}
	}
	return look(d.watching.file, code)
}

// follow makes the folders that matter now the ones that are watched.
func (d *dev) follow(seen *follows) {
	d.follows.Store(seen)
	d.watching.watch(seen.folders)
}

// watch watches folders, and no others. One that is not there is noticed when it
// comes, by the folder above it.
func (w *watching) watch(folders []string) {
	watched := w.files.WatchList()
	for _, path := range watched {
		if !slices.Contains(folders, path) {
			_ = w.files.Remove(path)
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
			_ = w.files.Remove(path) // another folder took its place
		}
		if w.files.Add(path) == nil {
			w.folders[path] = info
		}
	}
}

// isTemplate reports whether a path is the template's own, or what that leads to.
func (d *dev) isTemplate(path string) bool {
	return d.watching != nil && (path == d.watching.file || path == d.follows.Load().file)
}

// watch puts the template into effect again whenever it, or what its path and
// those of the code lead to, changes, until ctx ends.
func (d *dev) watch(ctx context.Context) {
	if d.watching == nil {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-d.watching.files.Events:
			if event.Op == fsnotify.Chmod {
				continue
			}
			if event.Has(fsnotify.Rename) || event.Has(fsnotify.Remove) {
				d.watching.watch(d.follows.Load().folders) // one that was moved is watched no more, nor what took its place
			}
			if d.isTemplate(filepath.Clean(event.Name)) || !d.look().same(d.follows.Load()) {
				timer.Reset(settle)
			}
		case err := <-d.watching.files.Errors:
			d.config.Reporter.Rejected(err)
		case <-timer.C:
			seen := d.look()
			d.reload()
			d.follow(d.look())        // the template may name other folders now
			if !d.look().same(seen) { // also while it was not watched yet
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
