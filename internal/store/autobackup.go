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

// The name of an automatic backup's file has its time, so that names sort by
// time, and the highest revision in it.
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

func (o *opener) backups() []backupFile {
	list, err := backupsIn(o.options.BackupDir)
	if err != nil {
		o.log.Warn("The automatic backups cannot be read", "error", err)
	}
	return list
}

// read calls record for every record of a backup. With an error, the backup is
// not whole, and the records must not be used.
func (b backupFile) read(record func(Record)) error {
	file, err := os.Open(b.path)
	if err != nil {
		return err
	}
	defer file.Close()
	return readBackup(file, func(r Record) error { record(r); return nil })
}

// time is when the backup was made, by its name; the zero time for a file that
// is not named like a backup.
func (b backupFile) time() time.Time {
	text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(b.path), backupPrefix), "-")
	at, _ := time.Parse(timeLayout, text)
	return at
}

// revision is the highest revision of the store when the backup was made.
func (b backupFile) revision() (revision uint64) {
	name := strings.TrimSuffix(filepath.Base(b.path), backupSuffix)
	if _, text, found := strings.Cut(name, "-r"); found {
		_, _ = fmt.Sscan(text, &revision) // 0 where the name has no revision
	}
	return revision
}

const (
	// backupIdle is how much longer than the work the pauses within a backup
	// are, and backupShare how much longer than the last backup the pause
	// before the next one is.
	backupIdle  = 4
	backupShare = 5
	// backupRetry is how much longer that pause is after a failure.
	backupRetry = 30
	// backupTime is the longest that a backup may take.
	backupTime = 5 * time.Minute
	// lastBackupTime is the longest that the last backup, when the store is
	// closed, may take.
	lastBackupTime = 10 * time.Second
)

// automaticBackups writes a backup after changes, until stop.
type automaticBackups struct {
	store *NATS
	dir   string
	keep  int

	saved    uint64 // the revision of the newest backup
	took     time.Duration
	told     string // the last failure that was logged
	stopping chan struct{}
	done     chan struct{}
}

// startBackups begins to write automatic backups, if the options ask for them.
// While something is lost none are written, because they would take the place
// of those that still have it.
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

// pause is the time to wait before the next backup.
func (b *automaticBackups) pause() time.Duration {
	quiet := b.store.options.backupQuiet
	if b.told != "" {
		quiet *= backupRetry
	}
	return max(quiet, backupShare*b.took)
}

// stop ends the backups, after a last one if something has changed since the
// one before.
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

// write writes a backup, within a time limit and with pauses of idle times the
// time of the work, and removes the oldest if there are too many. A failure is
// logged once, and leaves the backups before as they are.
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
		at = list[0].time().Add(time.Millisecond) // the clock was set back
	}
	name := fmt.Sprintf("%s%s-r%d%s", backupPrefix, at.Format(timeLayout), revision, backupSuffix)
	pace := newPacer(ctx, idle)
	write := func(w io.Writer) (int, error) { return Backup(ctx, pacedStore{b.store, pace}, w) }
	_, err := writeBackup(filepath.Join(b.dir, name), write, func(file io.Reader) io.Reader { return pacedReader{file, pace} })
	return err
}

// prune removes the oldest backups beyond those that are kept, and unfinished
// files of a process that was killed.
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

// WriteBackup writes a backup to a file with this name, and returns the number
// of its records. It writes another file beside it first, reads that to see
// that it is whole, syncs it to the disk, and then renames it; so after an
// error an older file is still what it was. Only the owner may read the file.
func WriteBackup(name string, write func(io.Writer) (records int, err error)) (records int, err error) {
	return writeBackup(name, write, func(file io.Reader) io.Reader { return file })
}

// writeBackup is WriteBackup; through wraps the reader with which the file is
// read again.
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

// keyList returns the keys of records in their order, as a text that is not too
// long.
func keyList(records map[string]Record) string {
	keys := slices.Sorted(maps.Keys(records))
	if len(keys) > shownLosses {
		keys = append(keys[:shownLosses], fmt.Sprintf("and %d more", len(keys)-shownLosses))
	}
	return strings.Join(keys, ", ")
}
