package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// held is what an automatic backup holds.
func (b backupFile) held() (map[string]string, error) {
	held := make(map[string]string)
	err := b.read(func(r Record) { held[r.Key] = string(r.Value) })
	return held, err
}

// awaitBackup waits until the newest backup holds what the store holds.
func awaitBackup(t *testing.T, n *NATS) {
	t.Helper()
	want := contents(t, n)
	eventually(t, func() error {
		list, err := backupsIn(n.options.BackupDir)
		if err != nil || len(list) == 0 {
			return fmt.Errorf("%d backups, %w", len(list), err)
		}
		held, err := list[0].held()
		if diff := cmp.Diff(want, held); err != nil || diff != "" {
			return fmt.Errorf("the newest of %d: %w (-want +got):\n%s", len(list), err, diff)
		}
		return nil
	})
}

func slogTo(log *outputtest.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(log, nil)) }

// After every change a backup follows, for its owner alone; there are as many as
// are to be kept; and the one at the end has everything.
func TestAutomaticBackups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "backups", "."+backupPrefix+"20260101T000000.000Z-r1.backup.123") // by a killed process
	if err := errors.Join(os.Mkdir(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	options := Options{Dir: dir, BackupKeep: 3, backupQuiet: time.Millisecond}
	n := open(t, options)
	for i := range 6 {
		mustPut(t, n, Key("api", fmt.Sprint(i)), "1", 0)
		awaitBackup(t, n)
	}
	mustPut(t, n, "usage.a.b", "counted", 0)
	mustPut(t, n, "api.last", "1", 0)
	want := contents(t, n)
	n.Close()
	list, err := backupsIn(options.Dir + "/backups")
	if err != nil || len(list) != 3 {
		t.Fatalf("%v %v", list, err)
	}
	if held, err := list[0].held(); err != nil || cmp.Diff(want, held) != "" {
		t.Errorf("the last one holds %v, %v; want %v", held, err, want)
	}
	info, err := os.Stat(list[0].path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("the half backup is still there")
	}
	// Nothing changed but a counter: nothing is written, so that the good ones stay
	// however often a gateway starts.
	for i := range options.BackupKeep {
		n = open(t, options)
		mustPut(t, n, Key("usage", "a", fmt.Sprint(i)), "counted", 0)
		n.Close()
	}
	if again, err := backupsIn(options.Dir + "/backups"); err != nil || cmp.Diff(list, again, cmp.AllowUnexported(backupFile{})) != "" {
		t.Errorf("%v %v, want %v", again, err, list)
	}
}

// A folder that takes no backup stops no write, and is reported once.
func TestBackupsThatFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var log outputtest.Buffer
	if err := os.WriteFile(filepath.Join(dir, "backups"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := open(t, Options{Dir: dir, BackupKeep: 3, backupQuiet: time.Millisecond, Log: slogTo(&log)})
	for i := range 5 {
		mustPut(t, n, Key("api", fmt.Sprint(i)), "1", 0)
	}
	eventually(t, func() error {
		if text := log.String(); !strings.Contains(text, "An automatic backup was not written") {
			return fmt.Errorf("the log says %q", text)
		}
		return nil
	})
	if err := os.Remove(filepath.Join(dir, "backups")); err != nil {
		t.Fatal(err)
	}
	mustPut(t, n, "api.last", "1", 0)
	awaitBackup(t, n)
	if got := strings.Count(log.String(), "An automatic backup was not written"); got != 1 {
		t.Errorf("told %d times:\n%s", got, &log)
	}
}

// What cannot be removed is told, and makes no backup fail: it would be written
// again and again.
func TestBackupsThatStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stays := filepath.Join(dir, "backups", "."+backupPrefix+"20260101T000000.000Z-r1.backup.123", "file")
	if err := errors.Join(os.MkdirAll(filepath.Dir(stays), 0o700), os.WriteFile(stays, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var log outputtest.Buffer
	n := open(t, Options{Dir: dir, BackupKeep: 3, backupQuiet: time.Millisecond, Log: slogTo(&log)})
	mustPut(t, n, "api.a", "1", 0)
	awaitBackup(t, n)
	eventually(t, func() error {
		if text := log.String(); !strings.Contains(text, "Automatic backups that are too many are not removed") {
			return fmt.Errorf("the log says %q", text)
		}
		return nil
	})
	n.Close() // with a last one, if that were missing
	if list, err := backupsIn(filepath.Join(dir, "backups")); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if strings.Contains(log.String(), "was not written") {
		t.Errorf("the log says %s", &log)
	}
}
