package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of automatic backups are named after their time, so that their
// names stand in its order, and after the highest revision that they hold.
const (
	backupPrefix = "stagedoor-"
	backupSuffix = ".backup"
)

// backupFile is an automatic backup.
type backupFile struct{ path string }

// backupsIn returns the automatic backups in a folder, the newest first.
func backupsIn(dir string) ([]backupFile, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []backupFile
	for _, e := range slices.Backward(entries) { // ReadDir sorts by name
		if name := e.Name(); e.Type().IsRegular() && strings.HasPrefix(name, backupPrefix) && strings.HasSuffix(name, backupSuffix) {
			list = append(list, backupFile{filepath.Join(dir, name)})
		}
	}
	return list, nil
}

func (o *opening) backups() []backupFile {
	list, err := backupsIn(o.options.BackupDir)
	if err != nil {
		o.log.Warn("The automatic backups cannot be read", "error", err)
	}
	return list
}

// read calls record for every record of a backup. It counts only if there is no
// error.
func (b backupFile) read(record func(Record)) error {
	file, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer file.Close()
	return readBackup(file, func(r Record) error { record(r); return nil })
}

// time is when the backup was made, the zero time for a file of another name.
func (b backupFile) time() time.Time {
	text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(b.path), backupPrefix), "-")
	at, _ := time.Parse(timeLayout, text)
	return at
}

// revision is the highest revision of the store when the backup was made.
func (b backupFile) revision() (revision uint64) {
	name := strings.TrimSuffix(filepath.Base(b.path), backupSuffix)
	if _, text, found := strings.Cut(name, "-r"); found {
		_, _ = fmt.Sscan(text, &revision) // 0 for another name
	}
	return revision
}

const (
	// backupIdle: within a backup there are pauses of this many times the time of
	// the work, and between two backupShare times the time that the last one took.
	backupIdle  = 4
	backupShare = 5
	// backupRetry: after a failure it is longer by this factor.
	backupRetry = 30
	// backupTime is how long one backup may take.
	backupTime = 5 * time.Minute
	// lastBackupTime is how long the one at the end may take.
	lastBackupTime = 10 * time.Second
)

// automaticBackups writes a backup after changes, until stop.
type automaticBackups struct {
	store *NATS
	dir   string
	keep  int

	saved    uint64 // the revision of the newest backup
	took     time.Duration
	told     string // the last failure that is in the log
	stopping chan struct{}
	done     chan struct{}
}

// startBackups begins to write automatic backups, if there are to be some. A
// store that lost something has none: what it lost is in those that there are.
func (n *NATS) startBackups() {
	if n.server == nil || n.options.BackupKeep == 0 || n.server.damage != nil {
		return
	}
	b := &automaticBackups{
		store: n, dir: n.options.BackupDir, keep: n.options.BackupKeep,
		stopping: make(chan struct{}), done: make(chan struct{}),
	}
	n.backups = b
	go b.run()
}

func (b *automaticBackups) run() {
	defer close(b.done)
	if list, err := backupsIn(b.dir); err == nil && len(list) > 0 {
		b.saved = list[0].revision()
	}
	for {
		changed := b.store.manifest.changedSince(b.saved)
		select {
		case <-b.stopping:
			return
		case <-changed:
		}
		select {
		case <-b.stopping:
			return
		case <-time.After(b.pause()):
		}
		b.write(backupTime, backupIdle)
	}
}

// pause is the time until the next backup begins.
func (b *automaticBackups) pause() time.Duration {
	quiet := b.store.options.backupQuiet
	if b.told != "" {
		quiet *= backupRetry
	}
	return max(quiet, backupShare*b.took)
}

// stop ends the backups, with one of what none has yet.
func (b *automaticBackups) stop() {
	if b == nil {
		return
	}
	close(b.stopping)
	<-b.done
	select {
	case <-b.store.manifest.changedSince(b.saved):
		b.write(lastBackupTime, 0)
	default:
	}
}

// write writes a backup within a time, with pauses of idle times the time of the
// work, and removes those that are too many. A failure is told once, and leaves
// those that there are.
func (b *automaticBackups) write(limit time.Duration, idle int) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	began := time.Now()
	revision := b.store.manifest.settledAt()
	err := b.writeFile(ctx, revision, idle)
	b.took = time.Since(began)
	switch {
	case err == nil:
		b.saved, b.told = revision, ""
		b.prune()
	case errors.Is(err, ErrClosed):
	case err.Error() != b.told:
		b.told = err.Error()
		b.store.log.Error("An automatic backup was not written; those before stay", "error", err)
	}
}

func (b *automaticBackups) writeFile(ctx context.Context, revision uint64, idle int) error {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	at := time.Now().UTC()
	if list, err := backupsIn(b.dir); err == nil && len(list) > 0 && !at.After(list[0].time()) {
		at = list[0].time().Add(time.Millisecond) // the clock was put back
	}
	name := fmt.Sprintf("%s%s-r%d%s", backupPrefix, at.Format(timeLayout), revision, backupSuffix)
	pace := newPacer(ctx, idle)
	write := func(w io.Writer) (int, error) { return Backup(ctx, pacedStore{b.store, pace}, w) }
	_, err := writeBackup(filepath.Join(b.dir, name), write, func(file io.Reader) io.Reader { return pacedReader{file, pace} })
	return err
}

// prune removes the oldest backups but those that are kept, and what a killed
// process left of one.
func (b *automaticBackups) prune() {
	list, err := backupsIn(b.dir)
	for _, old := range list[min(b.keep, len(list)):] {
		err = errors.Join(err, os.Remove(old.path))
	}
	parts, _ := filepath.Glob(filepath.Join(b.dir, "."+backupPrefix+"*")) // the pattern is a valid one
	for _, part := range parts {
		err = errors.Join(err, os.Remove(part))
	}
	if err != nil {
		b.store.log.Warn("Automatic backups that are too many are not removed", "error", err)
	}
}

// WriteBackup writes a backup beside its file, looks whether it is whole, and puts
// it in the place of the file then, on the disk. Only its owner may read it.
func WriteBackup(name string, write func(io.Writer) (records int, err error)) (records int, err error) {
	return writeBackup(name, write, func(file io.Reader) io.Reader { return file })
}

// writeBackup is WriteBackup, and reads the file again through another reader.
func writeBackup(name string, write func(io.Writer) (int, error), through func(io.Reader) io.Reader) (records int, err error) {
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = file.Close() // it may be closed already
			_ = os.Remove(file.Name())
		}
	}()
	if records, err = write(file); err != nil {
		return 0, err
	}
	if err := file.Sync(); err != nil {
		return 0, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	if _, err := CheckBackup(through(file)); err != nil {
		return 0, fmt.Errorf("what was written is not whole: %w", err)
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return 0, err
	}
	return records, syncDir(filepath.Dir(name))
}

// keyList returns the keys of records, in their order, and not too many.
func keyList(records map[string]Record) string {
	keys := slices.Sorted(maps.Keys(records))
	if len(keys) > shownLosses {
		keys = append(keys[:shownLosses], fmt.Sprintf("and %d more", len(keys)-shownLosses))
	}
	return strings.Join(keys, ", ")
}
