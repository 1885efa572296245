// Package archive unpacks the zip archives that functions are packaged in, as
// Lambda does. `stagedoor dev` runs functions from what it unpacks.
package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
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

// limits bound an archive.
type limits struct {
	bytes int64 // of what is unpacked
	files int
}

// lambdaLimits are Lambda's own, and a bound for how many files that may be.
var lambdaLimits = limits{bytes: 250 << 20, files: 100_000}

// maxLink is how many bytes a symbolic link may have.
const maxLink = 4096

// ErrTooLarge is for an archive that holds more than Lambda takes.
var ErrTooLarge = errors.New("it holds more than Lambda takes: 250 MiB, or 100,000 files")

// The cache keeps what was used last, this many folders, and whatever was used not
// longer ago than this.
const (
	kept     = 32
	keptTime = 24 * time.Hour
)

// Unpack unpacks a zip archive into a folder of the cache and gives that folder.
// It is named after the archive's content: what was unpacked once is not
// unpacked again, and does not change. Nothing is written outside of it, whatever
// the archive says; a file that would be, and a link that leads out of it, is an
// error. So is an archive that is written meanwhile. What nobody has used for long
// is removed from the cache.
func Unpack(file, cache string) (folder string, err error) {
	digest, err := digestOf(file)
	if err != nil {
		return "", err
	}
	folder = filepath.Join(cache, digest)
	if now := time.Now(); os.Chtimes(folder, now, now) == nil { // it is there
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	if err := unpackAs(file, digest, folder); err != nil {
		return "", err
	}
	tidy(cache)
	return folder, nil
}

// unpackAs makes the folder of an archive with a digest.
func unpackAs(file, digest, folder string) error {
	temporary, err := os.MkdirTemp(filepath.Dir(folder), ".new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := unpack(file, temporary, lambdaLimits); err != nil {
		return fmt.Errorf("unpack %s: %w", file, err)
	}
	if now, err := digestOf(file); err != nil || now != digest {
		return errors.Join(fmt.Errorf("unpack %s: it was changed meanwhile", file), err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	err = os.Rename(temporary, folder)
	if info, there := os.Stat(folder); err != nil && there == nil && info.IsDir() {
		return nil // another process was faster
	}
	return err
}

// tidy removes from the cache what has been of no use for long, also what a
// process has left that was killed. What cannot be removed is tried again with the
// next archive.
func tidy(cache string) {
	entries, _ := os.ReadDir(cache)
	used := make(map[string]time.Time, len(entries))
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			used[entry.Name()] = info.ModTime()
		}
	}
	names := slices.SortedFunc(maps.Keys(used), func(a, b string) int { return used[b].Compare(used[a]) })
	for _, name := range names[min(kept, len(names)):] {
		if time.Since(used[name]) < keptTime {
			continue
		}
		old := filepath.Join(cache, name)
		if !strings.HasPrefix(name, ".") { // nobody may find half of it
			old = filepath.Join(cache, ".old-"+name)
			if os.Rename(filepath.Join(cache, name), old) != nil {
				continue
			}
		}
		_ = os.RemoveAll(old)
	}
}

// digestOf names the content of a file.
func digestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if n, err := io.Copy(hash, io.LimitReader(f, lambdaLimits.bytes+1)); err != nil {
		return "", err
	} else if n > lambdaLimits.bytes {
		return "", fmt.Errorf("unpack %s: %w", file, ErrTooLarge)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

func unpack(file, folder string, most limits) error {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	if len(archive.File) > most.files {
		return ErrTooLarge
	}
	root, err := os.OpenRoot(folder) // nothing leads out of it
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	left := most.bytes
	for _, entry := range archive.File {
		if err := unpackEntry(root, entry, &left); err != nil {
			return fmt.Errorf("%q: %w", entry.Name, err)
		}
	}
	return nil
}

// unpackEntry writes one entry; left is how many bytes may still be written.
func unpackEntry(root *os.Root, entry *zip.File, left *int64) error {
	name := filepath.FromSlash(strings.TrimSuffix(entry.Name, "/"))
	if !filepath.IsLocal(name) {
		return errors.New("the name leads out of the archive")
	}
	if entry.FileInfo().IsDir() {
		return root.MkdirAll(name, 0o755)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	content, err := entry.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	switch mode := entry.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return link(root, name, content)
	case !mode.IsRegular():
		return errors.New("it is neither a file, nor a folder, nor a link")
	default:
		return write(root, name, content, mode.Perm()|0o600, left)
	}
}

// link makes a symbolic link within the archive.
func link(root *os.Root, name string, content io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(content, maxLink))
	if err != nil {
		return err
	}
	to := filepath.FromSlash(string(target))
	if filepath.IsAbs(to) || !filepath.IsLocal(filepath.Join(filepath.Dir(name), to)) {
		return errors.New("the link leads out of the archive")
	}
	return root.Symlink(to, name)
}

func write(root *os.Root, name string, content io.Reader, mode fs.FileMode, left *int64) (err error) {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	n, err := io.Copy(f, io.LimitReader(content, *left+1))
	if *left -= n; *left < 0 {
		return ErrTooLarge
	}
	return err
}
