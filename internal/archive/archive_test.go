package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// entry is a file of an archive.
type entry struct {
	name, content string
	mode          fs.FileMode
}

// pack writes an archive.
func pack(t testing.TB, entries ...entry) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "function.zip")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		header.SetMode(e.mode)
		w, err := z.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// An archive is unpacked once, with its folders, links and modes.
func TestUnpack(t *testing.T) {
	t.Parallel()
	file := pack(t,
		entry{"bootstrap", "#!/bin/sh\n", 0o755},
		entry{"src/", "", fs.ModeDir | 0o755},
		entry{"src/deep/index.js", "exports.handler = 1", 0o444},
		entry{"index.js", "src/deep/index.js", fs.ModeSymlink | 0o777},
	)
	cache := filepath.Join(t.TempDir(), "archives")
	folder, err := Unpack(file, cache)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "index.js"))
	if err != nil || string(content) != "exports.handler = 1" {
		t.Errorf("index.js: %q, %v", content, err)
	}
	if info, err := os.Stat(filepath.Join(folder, "bootstrap")); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("bootstrap: %v, %v", info, err)
	}
	again, err := Unpack(file, cache)
	if err != nil || again != folder {
		t.Errorf("a second time: %s, %v", again, err)
	}
	if other, err := Unpack(pack(t, entry{"index.js", "changed", 0o644}), cache); err != nil || other == folder {
		t.Errorf("another archive: %s, %v", other, err)
	}
	left, err := os.ReadDir(cache)
	if err != nil || len(left) != 2 {
		t.Errorf("the cache holds %v, %v", left, err)
	}
}

// Of what was not used for long the cache keeps the newest.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	cache := filepath.Join(t.TempDir(), "archives")
	file := pack(t, entry{"index.js", "used now and then", 0o644})
	folder, err := Unpack(file, cache)
	if err != nil {
		t.Fatal(err)
	}
	age := func(name string, by time.Duration) {
		t.Helper()
		at := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(cache, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	add := func(name string, by time.Duration) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(cache, name, "deep"), 0o755); err != nil {
			t.Fatal(err)
		}
		age(name, by)
	}
	for i := range 2 * kept {
		add(fmt.Sprintf("old%03d", i), keptTime+time.Duration(i+1)*time.Hour)
		add(fmt.Sprintf("young%03d", i), keptTime/2)
	}
	add(".new-killed", 1000*keptTime)
	add(".old-killed", 1000*keptTime)
	age(filepath.Base(folder), 500*keptTime)
	if again, err := Unpack(file, cache); err != nil || again != folder {
		t.Fatalf("%s, %v", again, err)
	}
	if _, err := Unpack(pack(t, entry{"index.js", "new", 0o644}), cache); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(cache)
	if err != nil || len(left) != 2*kept+2 {
		t.Errorf("the cache holds %d: %v, %v", len(left), left, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "index.js")); err != nil {
		t.Errorf("what is used is gone: %v", err)
	}
}

// An archive that is written while it is unpacked is not taken for what it was.
func TestUnpackChanging(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	err := unpackAs(pack(t, entry{"index.js", "new", 0o644}), "digest of the old one", filepath.Join(cache, "old"))
	left, _ := os.ReadDir(cache)
	if err == nil || !strings.Contains(err.Error(), "changed meanwhile") || len(left) > 0 {
		t.Errorf("%v, the cache holds %v", err, left)
	}
}

// Nothing is written outside of the folder, and no more than Lambda takes.
func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	nothing := filepath.Join(t.TempDir(), "nothing.zip")
	noZip := filepath.Join(t.TempDir(), "text.zip")
	if err := os.WriteFile(noZip, []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ file, want string }{
		"missing":       {nothing, "no such file"},
		"no zip":        {noZip, "not a valid zip"},
		"parent":        {pack(t, entry{"../evil", "x", 0o644}), "leads out of the archive"},
		"absolute":      {pack(t, entry{"/tmp/evil", "x", 0o644}), "leads out of the archive"},
		"link":          {pack(t, entry{"out", "../..", fs.ModeSymlink | 0o777}), "the link leads out"},
		"absolute link": {pack(t, entry{"out", "/etc/passwd", fs.ModeSymlink | 0o777}), "the link leads out"},
		"through links": {pack(t, entry{"a/b", "..", fs.ModeSymlink | 0o777}, entry{"a/c", "b/..", fs.ModeSymlink | 0o777}, entry{"a/c/evil", "x", 0o644}), "escapes"},
		"twice":         {pack(t, entry{"a", "x", 0o644}, entry{"a", "y", 0o644}), "exists"},
		"device":        {pack(t, entry{"a", "", fs.ModeDevice | 0o644}), "neither a file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache := filepath.Join(t.TempDir(), "archives")
			_, err := Unpack(test.file, cache)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if left, _ := os.ReadDir(cache); len(left) > 0 {
				t.Errorf("the cache holds %v", left)
			}
		})
	}
}

// What an archive says of itself does not count, but what comes out of it.
func TestUnpackBounds(t *testing.T) {
	t.Parallel()
	file := pack(t, entry{"a", strings.Repeat("x", 1000), 0o644}, entry{"b", strings.Repeat("x", 1000), 0o644})
	for most, want := range map[limits]error{
		{bytes: 2000, files: 2}: nil, {bytes: 1999, files: 2}: ErrTooLarge, {bytes: 999, files: 2}: ErrTooLarge, {bytes: 2000, files: 1}: ErrTooLarge,
	} {
		if err := unpack(file, t.TempDir(), most); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", most, err, want)
		}
	}
}

// FuzzUnpack unpacks whatever there is: a failure is an error, and leaves nothing.
func FuzzUnpack(f *testing.F) {
	seed, err := os.ReadFile(pack(f, entry{"a/b", "x", 0o644}, entry{"c", "a", fs.ModeSymlink | 0o777}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "a.zip")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		cache := filepath.Join(t.TempDir(), "cache")
		if _, err := Unpack(file, cache); err != nil {
			if left, _ := os.ReadDir(cache); len(left) > 0 {
				t.Errorf("the cache holds %v", left)
			}
		}
	})
}
