package stagedoor

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a file must be quiet before it is read: editors save in
// several steps.
const settle = 50 * time.Millisecond

// watch puts the template into effect again whenever it changes, until ctx
// ends. Watching the folder, not the file, survives editors that replace it.
func (d *dev) watch(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }()
	if err := watcher.Add(filepath.Dir(d.file)); err != nil {
		return err
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event := <-watcher.Events:
			if filepath.Clean(event.Name) == filepath.Clean(d.file) && !event.Has(fsnotify.Chmod) {
				timer.Reset(settle)
			}
		case err := <-watcher.Errors:
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
