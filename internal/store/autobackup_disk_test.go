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

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// tmpfs mounts a small disk until the test ends.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	disk := t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("a file system of its own needs root")
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, options); err != nil {
		t.Skipf("a file system of its own cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// fillDisk leaves nothing of a small disk, and returns the file that took it.
func fillDisk(t *testing.T, disk string) string {
	t.Helper()
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, bytes.Repeat([]byte{1}, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk takes too much: %v", err)
	}
	return ballast
}

// A store opens on a disk that is full, with its manifest and without; once there
// is space again, both take writes.
func TestOpenOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "size=2m")
	for _, manifest := range []bool{true, false} {
		dir := filepath.Join(disk, fmt.Sprint("data-", manifest))
		n := open(t, Options{Dir: dir})
		mustPut(t, n, "api.a", "1", 0)
		n.Close()
		file := filepath.Join(dir, storeName, manifestName)
		if !manifest {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		ballast := fillDisk(t, disk)
		n = open(t, Options{Dir: dir})
		if r, err := n.Get(t.Context(), "api.a"); err != nil || string(r.Value) != "1" {
			t.Errorf("on a full disk: %v %v", r, err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			_, err := n.Get(t.Context(), "api.b")
			if errors.Is(err, ErrNotFound) {
				_, err = n.Put(t.Context(), "api.b", []byte("2"), 0)
			}
			return err
		})
		eventually(t, func() error {
			if m := readText(t, file); !m.whole || m.entries["api.a"].Revision == 0 || m.entries["api.b"].Revision == 0 {
				return fmt.Errorf("the manifest is %+v", m)
			}
			return nil
		})
		n.Close()
	}
}

// A disk that is full while a backup is written leaves those before as they are,
// and no half one; with space the next is written.
func TestBackupsOnAFullDisk(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "size=256k")
	var log outputtest.Buffer
	dir := filepath.Join(disk, "backups")
	n := open(t, Options{Dir: t.TempDir(), BackupDir: dir, BackupKeep: 3, backupQuiet: time.Millisecond, Log: slogTo(&log)})
	mustPut(t, n, "api.a", "1", 0)
	awaitBackup(t, n)
	before := filesBelow(t, dir)
	ballast := fillDisk(t, disk)
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
