package lambda

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleTime is how long a folder must be without changes before a change
	// counts as finished: saving often takes several steps, and several files.
	settleTime = 100 * time.Millisecond
	// maxUnsettled is the longest that is waited for that.
	maxUnsettled = time.Second
)

// watcher watches folders for changes.
type watcher struct {
	files  *fsnotify.Watcher
	except string // a folder whose content is never code, wherever it is

	mu    sync.Mutex // held while folders are added
	roots map[string]bool

	// Events are taken from the system at once and kept here: on some systems
	// a folder can't be added while an event waits to be taken.
	seenMu sync.Mutex
	seen   map[string]fsnotify.Op // by path
	news   chan struct{}          // capacity 1: there is something in seen
}

func newWatcher(except string) (*watcher, error) {
	files, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &watcher{files: files, except: except, roots: map[string]bool{}, seen: map[string]fsnotify.Op{}, news: make(chan struct{}, 1)}, nil
}

// note keeps an event for take.
func (w *watcher) note(event fsnotify.Event) {
	w.seenMu.Lock()
	w.seen[event.Name] |= event.Op
	w.seenMu.Unlock()
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// take returns the events since its last call.
func (w *watcher) take() map[string]fsnotify.Op {
	w.seenMu.Lock()
	defer w.seenMu.Unlock()
	seen := w.seen
	w.seen = map[string]fsnotify.Op{}
	return seen
}

// watch makes the given folders the ones that are watched, with all folders
// below them. A folder that does not exist yet is noticed when it is made.
func (w *watcher) watch(roots map[string]bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, path := range w.files.WatchList() {
		if !concernsAny(roots, path) {
			_ = w.files.Remove(path)
		}
	}
	var failed error
	for root := range roots {
		if !w.roots[root] {
			failed = first(failed, w.add(root))
		}
	}
	w.roots = roots
	return failed
}

// add watches a folder with all folders below it, and the nearest existing
// folder above it, so that it is noticed when the folder is deleted and made
// again.
func (w *watcher) add(root string) error {
	for above := filepath.Dir(root); ; above = filepath.Dir(above) {
		if err := w.files.Add(above); err == nil || above == filepath.Dir(above) {
			break
		}
	}
	return w.addTree(root, root)
}

func (w *watcher) addTree(root, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil: // does not exist, or not any more
			return nil
		case !entry.IsDir():
			return nil
		case w.ignored(root, path), path != root && isHidden(path):
			return filepath.SkipDir
		}
		if err := w.files.Add(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("watch %s: %w", path, err)
		}
		return nil
	})
}

// changed returns the roots that a changed path is part of, and watches new
// folders.
func (w *watcher) changed(path string, op fsnotify.Op) []string {
	if op == fsnotify.Chmod {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var touched []string
	for root := range w.roots {
		switch {
		case path == root || isBelow(path, root):
			_ = w.add(root) // the root, or a folder above it, was made or removed
		case !isBelow(root, path) || w.ignored(root, path):
			continue
		case op.Has(fsnotify.Create) && isDir(path):
			if isHidden(path) {
				continue
			}
			_ = w.addTree(root, path)
		}
		touched = append(touched, root)
	}
	return touched
}

// isBelow reports whether path is inside of dir.
func isBelow(dir, path string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

func isHidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

func concernsAny(roots map[string]bool, path string) bool {
	for root := range roots {
		if root == path || isBelow(root, path) || isBelow(path, root) {
			return true
		}
	}
	return false
}

func (w *watcher) ignored(root, path string) bool {
	return path == w.except && path != root || isBelow(w.except, path) && !isBelow(w.except, root) || ignored(root, path)
}

// notWritten are names of folders whose content tools write.
var notWritten = []string{"node_modules", "__pycache__", ".git", ".aws-sam", "cdk.out"}

// ignored reports whether a path below the root is not code that people write,
// but an installed package, a cache, a repository, a log, or an editor's
// backup.
func ignored(root, path string) bool {
	relative, err := filepath.Rel(root, path)
	if err != nil || relative == "." {
		return false
	}
	parts := strings.Split(relative, string(filepath.Separator))
	name := parts[len(parts)-1]
	for _, part := range parts {
		if slices.Contains(notWritten, part) {
			return true
		}
	}
	if slices.ContainsFunc(parts[:len(parts)-1], isHidden) {
		return true
	}
	return strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".swp") || strings.HasSuffix(name, ".swx") ||
		strings.HasSuffix(name, ".pyc") || strings.HasSuffix(name, ".log") || name == ".gitignore" ||
		strings.HasPrefix(name, ".#") || name == "4913" // Vim writes it to test a folder
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
