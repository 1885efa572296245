package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// Damage of which not even the key can be read is repaired as well after the
// store was used for a while, and from the newest backup that is whole; what was
// removed meanwhile stays removed.
func TestRepairOfUnknownKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := open(t, Options{Dir: dir, BackupKeep: 5})
	for _, key := range []string{"api.first", "api.lost", "api.last"} {
		mustPut(t, n, key, `{"of":"`+key+`"}`, 0)
	}
	want := contents(t, n)
	n.Close() // with a backup

	block := filepath.Join(dir, storeName, "jetstream", "$G", "streams", "KV_stagedoor", "msgs", "1.blk")
	text, err := os.ReadFile(block)
	at := bytes.Index(text, []byte("$KV.stagedoor.api.lost"))
	if err != nil || at < 0 {
		t.Fatal(at, err)
	}
	copy(text[at:], "unreadable")
	damagedBackup := filepath.Join(dir, "backups", backupPrefix+"29990101T000000.000Z-r9"+backupSuffix)
	err = errors.Join(
		os.WriteFile(block, text, 0o600), os.Remove(filepath.Join(dir, storeName, manifestName)), os.WriteFile(damagedBackup, []byte("{"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	n = open(t, Options{Dir: dir, OnDamage: ServeWhole})
	if d := n.Damage(); d == nil || d.Unknown != 1 || len(d.Losses) > 0 {
		t.Fatalf("%+v", d)
	}
	first, err := n.Get(t.Context(), "api.first")
	if err == nil {
		_, err = n.Delete(t.Context(), "api.first", first.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	_, err = Open(t.Context(), Options{Dir: dir})
	wantErrText(t, err, "places of which the key cannot be read: 1 (found at an earlier start)")

	n = open(t, Options{Dir: dir, OnDamage: Repair})
	delete(want, "api.first")
	if diff := cmp.Diff(want, contents(t, n)); diff != "" || n.Damage() != nil {
		t.Errorf("repaired, it has damage %v, contents (-want +got):\n%s", n.Damage(), diff)
	}
}

// A backup that is damaged itself is passed over for the one before it; what is
// in none is told to be lost, and the rest goes on.
func TestRepairFromEarlierBackup(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	var log outputtest.Buffer
	write := func(key, value string, revision uint64) uint64 {
		n := open(t, Options{Dir: dir, BackupKeep: 5})
		revision = mustPut(t, n, key, value, revision)
		n.Close() // with a backup
		return revision
	}
	revision := write("api.a", "1", 0)
	write("api.a", "2", revision)
	write("api.b", "3", 0)
	write("api.c", "4", 0)
	list, err := backupsIn(filepath.Join(dir, "backups"))
	if err != nil || len(list) != 4 {
		t.Fatalf("%v %v", list, err)
	}
	for _, newest := range list[:2] { // those with b
		if err := os.Truncate(newest.path, 100); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "nats/jetstream/$G/streams/KV_stagedoor/msgs/1.blk")); err != nil {
		t.Fatal(err)
	}
	n := open(t, Options{Dir: dir, OnDamage: Repair, Log: slogTo(&log)})
	if diff := cmp.Diff(map[string]string{"api.a": "2"}, contents(t, n)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, want := range []string{"A backup cannot be used", "records=api.a", `no backup has it" key=api.b`, `no backup has it" key=api.c`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is missing in the log:\n%s", want, &log)
		}
	}
	_, err = n.Get(t.Context(), "api.b")
	wantErr(t, err, ErrNotFound)
}

// What a process left that was killed while it put a new store in the place of
// another is finished, and what it had not made whole goes.
func TestInterruptedRepair(t *testing.T) {
	t.Parallel()
	s := fillStores(t, 9, smallValue)
	made, half := filepath.Join(s.killed, storeName+newSuffix), filepath.Join(s.killed, salvagedName+newSuffix)
	copyDir(t, filepath.Join(s.killed, storeName), made)
	copyDir(t, filepath.Join(s.killed, storeName), half)
	if err := os.WriteFile(filepath.Join(made, builtName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, after := range []string{"before anything was moved", "after the old one was moved aside"} {
		dir := filepath.Join(t.TempDir(), "data")
		copyDir(t, s.killed, dir)
		if strings.HasPrefix(after, "after") {
			if err := os.RemoveAll(filepath.Join(dir, storeName)); err != nil {
				t.Fatal(err)
			}
		}
		n := open(t, Options{Dir: dir})
		if diff := cmp.Diff(s.held, contents(t, n)); diff != "" || n.Damage() != nil {
			t.Errorf("%s: damage %v (-want +got):\n%s", after, n.Damage(), diff)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*"+newSuffix)); len(left) > 0 {
			t.Errorf("%s: %v is left", after, left)
		}
	}
}
