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
	"os"
	"path/filepath"
	"strings"
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

// Unpack unpacks a zip archive into a folder of the cache and gives that folder.
// It is named after the archive's content: what was unpacked once is not
// unpacked again, and does not change. Nothing is written outside of it, whatever
// the archive says; a file that would be, and a link that leads out of it, is an
// error.
func Unpack(file, cache string) (folder string, err error) {
	digest, err := digestOf(file)
	if err != nil {
		return "", err
	}
	folder = filepath.Join(cache, digest)
	if info, err := os.Stat(folder); err == nil && info.IsDir() {
		return folder, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(cache, ".new-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	if err := unpack(file, temporary, lambdaLimits); err != nil {
		return "", fmt.Errorf("unpack %s: %w", file, err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(temporary, folder); err != nil {
		if info, there := os.Stat(folder); there == nil && info.IsDir() {
			return folder, nil // another process was faster
		}
		return "", err
	}
	return folder, nil
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
