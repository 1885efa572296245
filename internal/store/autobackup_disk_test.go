//go:build linux

package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A disk that is full while a backup is written leaves those before as they are,
// and no half one; with space the next is written.
func TestBackupsOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("a file system of its own needs root")
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("a file system of its own cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	var log syncedLog
	dir := filepath.Join(disk, "backups")
	n := open(t, Options{Dir: t.TempDir(), BackupDir: dir, BackupKeep: 3, backupQuiet: time.Millisecond, Log: slogTo(&log)})
	mustPut(t, n, "api.a", "1", 0)
	awaitBackup(t, n)
	before := filesBelow(t, dir)
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte{1}, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk takes too much: %v", err)
	}
	mustPut(t, n, "api.b", "2", 0)
	eventually(t, func() error {
		if text := log.String(); !bytes.Contains([]byte(text), []byte("no space left on device")) {
			return fmt.Errorf("the log says %q", text)
		}
		return nil
	})
	if after := filesBelow(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("it left %v, before were %v", after, before)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	mustPut(t, n, "api.c", "3", 0)
	awaitBackup(t, n)
}
