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

// limits are the largest size of an archive.
type limits struct {
	bytes int64 // of what is unpacked
	files int
}

// lambdaLimits are Lambda's limit of bytes, and one of ours for the number of
// files.
var lambdaLimits = limits{bytes: 250 << 20, files: 100_000}

// maxLink is the largest length of a symbolic link's target, in bytes.
const maxLink = 4096

// ErrTooLarge means that an archive has more in it than Lambda accepts.
var ErrTooLarge = errors.New("it holds more than Lambda takes: 250 MiB, or 100,000 files")

// The cache keeps the folders that were used last: this many of them, and all
// that were used within this time.
const (
	kept     = 32
	keptTime = 24 * time.Hour
)

// Unpack unpacks a zip archive into a folder of the cache, and returns that
// folder. It is named after the archive's content, so an archive is unpacked
// once, and the folder does not change afterwards. Nothing is written outside
// of it: a file or a link of the archive that leads out of the folder is an
// error. So is an archive that changes while it is unpacked. Folders that were
// not used for long are removed from the cache.
func Unpack(file, cache string) (folder string, err error) {
	digest, err := digestOf(file)
	if err != nil {
		return "", err
	}
	folder = filepath.Join(cache, digest)
	if now := time.Now(); os.Chtimes(folder, now, now) == nil { // it was unpacked before
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
		return nil // another process has unpacked it meanwhile
	}
	return err
}

// tidy removes folders from the cache that were not used for long, and
// unfinished ones of processes that were killed. It tries again with the next
// archive where something cannot be removed.
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
		if !strings.HasPrefix(name, ".") { // renamed first, so that nobody finds a part of it
			old = filepath.Join(cache, ".old-"+name)
			if os.Rename(filepath.Join(cache, name), old) != nil {
				continue
			}
		}
		_ = os.RemoveAll(old)
	}
}

// digestOf returns a digest of a file's content.
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
	root, err := os.OpenRoot(folder) // no name leads out of it
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

// unpackEntry writes one entry. left is how many bytes may still be written,
// and is reduced by those of the entry.
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
