package lambda

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
)

// assets are the bootstraps and hooks of the runtimes that need an interpreter.
//
//go:embed runtimes
var assets embed.FS

// runtimeDir returns the folder of the cache with the bootstrap of the named
// runtime, and writes it first if it is not there. The folder is named after
// the content, so versions of the gateway don't get in each other's way.
func (h *Host) runtimeDir(name string) (string, error) {
	root, err := h.assetsOnce()
	return filepath.Join(root, name), err
}

func (h *Host) writeAssets() (string, error) {
	sum := sha256.New()
	contents := map[string][]byte{}
	err := fs.WalkDir(assets, "runtimes", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assets.ReadFile(path)
		contents[path] = content
		sum.Write([]byte(path))
		sum.Write(content)
		return err
	})
	if err != nil {
		return "", err
	}
	version := filepath.Join(h.options.CacheDir, "runtimes", hex.EncodeToString(sum.Sum(nil)[:8]))
	for path, content := range contents {
		relative, err := filepath.Rel("runtimes", filepath.FromSlash(path))
		if err != nil {
			return "", err
		}
		target := filepath.Join(version, relative)
		if _, err := os.Stat(target); err == nil {
			continue
		}
		if err := writeFile(target, content); err != nil {
			return "", err
		}
	}
	return version, nil
}
