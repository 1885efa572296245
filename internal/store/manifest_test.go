package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newManifest makes a manifest with some lines of every kind.
func newManifest(t *testing.T) *manifest {
	t.Helper()
	m := openManifest(filepath.Join(t.TempDir(), manifestName), map[string]entry{
		"api.a": {Revision: 1, Sum: checksum("api.a", nil)}, "api.old": {Revision: 2}, "api.lost": {Revision: 3, Sum: "sum", Lost: true},
	}, 3)
	t.Cleanup(m.close)
	m.note("api.b", entry{Revision: 4, Sum: "b"})
	m.note("api.a", entry{Revision: 6, Sum: removalSum})
	m.note("api.a", entry{Revision: 5, Sum: "late"}) // of a writer that was slower
	m.noteUncertain("api.b")
	m.noteUncertain("api.none")
	return m
}

func readText(t *testing.T, path string) manifestText {
	t.Helper()
	text, err := readManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What is noted is in the file at once, and read as it was noted; written anew,
// it says the same.
func TestManifest(t *testing.T) {
	t.Parallel()
	m := newManifest(t)
	want := map[string]entry{
		"api.a": {Revision: 6, Sum: removalSum}, "api.old": {Revision: 2}, "api.lost": {Revision: 3, Sum: "sum", Lost: true},
		"api.b": {Revision: 4, Sum: "b", Uncertain: true},
	}
	for range 2 {
		text := readText(t, m.path)
		if diff := cmp.Diff(want, text.entries); diff != "" || !text.exists || !text.whole || text.last != 6 {
			t.Errorf("%+v (-want +got):\n%s", text, diff)
		}
		if err := m.rewriteLocked(); err != nil {
			t.Fatal(err)
		}
	}
	if text := readText(t, m.path+".none"); text.exists || text.whole {
		t.Errorf("without a file: %+v", text)
	}
}

// A byte that is another one costs its line, and the manifest is not whole; a
// file that is cut off anywhere says nothing that was not written.
func TestDamagedManifest(t *testing.T) {
	t.Parallel()
	m := newManifest(t)
	good := readText(t, m.path).entries
	text, err := os.ReadFile(m.path)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "damaged")
	for at := range text {
		damaged := append([]byte(nil), text...)
		damaged[at] ^= 1 << (at % 7)
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readText(t, file); got.whole && at != len(text)-1 {
			t.Fatalf("byte %d: it is called whole: %+v", at, got)
		}
		if err := os.WriteFile(file, text[:at], 0o600); err != nil {
			t.Fatal(err)
		}
		for key, e := range readText(t, file).entries {
			if e.Revision > good[key].Revision {
				t.Fatalf("%d bytes: %s is %+v", at, key, e)
			}
		}
	}
}

// The file does not grow without end, and forgets removals that are long ago.
func TestManifestIsBounded(t *testing.T) {
	t.Parallel()
	m := newManifest(t)
	var writers sync.WaitGroup
	for w := range uint64(4) {
		writers.Go(func() {
			for i := range uint64(journalLines) {
				m.note(fmt.Sprint("usage.", w), entry{Revision: 10 + w + 4*i, Sum: "x"})
			}
		})
	}
	writers.Wait()
	m.sync()
	text := readText(t, m.path)
	if diff := cmp.Diff(m.entries, text.entries); diff != "" || !text.whole {
		t.Errorf("(-noted +read):\n%s", diff)
	}
	if _, is := text.entries["api.a"]; is {
		t.Error("a removal of long ago is still there")
	}
	info, err := os.Stat(m.path)
	if err != nil || info.Size() > 2*journalLines*60 {
		t.Errorf("%v %v", info.Size(), err)
	}
	if parts, _ := filepath.Glob(filepath.Join(filepath.Dir(m.path), "."+manifestName+"*")); len(parts) > 0 {
		t.Errorf("left over: %v", parts)
	}
}

// Lines that the disk did not take are written later, and never half.
func TestManifestOnAFullDisk(t *testing.T) {
	t.Parallel()
	m := newManifest(t)
	before := maps.Clone(m.entries)
	good := m.file
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("the system has no /dev/full: %v", err)
	}
	defer full.Close()
	m.file = full
	m.note("api.c", entry{Revision: 7, Sum: "c"})
	if diff := cmp.Diff(before, readText(t, m.path).entries); diff != "" {
		t.Errorf("on a full disk (-before +after):\n%s", diff)
	}
	m.file = good
	m.note("api.d", entry{Revision: 8, Sum: "d"})
	text := readText(t, m.path)
	if text.entries["api.c"].Revision != 7 || text.entries["api.d"].Revision != 8 || !text.whole {
		t.Errorf("with space again: %+v", text)
	}
	if content, err := os.ReadFile(m.path); err != nil || strings.Contains(string(content), "\x00") {
		t.Errorf("%q %v", content, err)
	}
}
