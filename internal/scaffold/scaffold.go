// Package scaffold has the files that "stagedoor init" writes: a short file in
// front of an HTTP backend, or a SAM application in one of a few languages.
package scaffold

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Short is the beginning with a stagedoor.yaml. The others are SAM
// applications.
const Short = "short"

// Languages are the beginnings with a SAM application, by their languages.
var Languages = []string{"go", "typescript", "python"}

// files has the files of each beginning below files/{beginning}. Files are
// written without the suffix .embedded, which go.mod has here because it would
// make a module of its folder.
//
//go:embed all:files
var files embed.FS

const embedded = ".embedded"

// Write writes the files of a beginning, Short or a language, into a folder,
// and makes the folder if it does not exist. It returns their names, sorted. If
// one of the files exists already it returns an error and writes nothing.
func Write(folder, beginning string) (names []string, err error) {
	root := path.Join("files", beginning)
	if beginning != Short && !slices.Contains(Languages, beginning) {
		return nil, fmt.Errorf("%q is none of %s", beginning, strings.Join(Languages, ", "))
	}
	texts := map[string][]byte{}
	err = fs.WalkDir(files, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		written := strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), embedded)
		texts[written], names = text, append(names, written)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if _, err := os.Lstat(file); err == nil {
			return nil, fmt.Errorf("%s is there already; nothing was written", file)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	for _, name := range names {
		if err := create(filepath.Join(folder, filepath.FromSlash(name)), texts[name]); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// create writes a new file. A file that exists already is an error.
func create(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
