package stagedoor

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be quiet before it is read: editors save in
// several steps.
const settle = 50 * time.Millisecond

// startWatching takes notice of changes from now on, so that none is lost that
// comes after the template was read. Watching the folder, not the file,
// survives editors that replace it.
func (d *dev) startWatching() (err error) {
	if d.source.File == "" {
		return nil
	}
	if d.watcher, err = fsnotify.NewWatcher(); err != nil {
		return fmt.Errorf("watch the template: %w", err)
	}
	return d.watcher.Add(filepath.Dir(d.source.File))
}

// watch puts the template into effect again whenever it changes, until ctx
// ends.
func (d *dev) watch(ctx context.Context) {
	if d.watcher == nil {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-d.watcher.Events:
			if filepath.Clean(event.Name) == filepath.Clean(d.source.File) && !event.Has(fsnotify.Chmod) {
				timer.Reset(settle)
			}
		case err := <-d.watcher.Errors:
			d.config.Reporter.Rejected(err)
		case <-timer.C:
			d.reload()
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
}
