package dev

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// snapshot is what the paths of the template and of the code lead to on the disk
// at a moment, and where to look for changes of that.
type snapshot struct {
	file     string    // what the template's path leads to
	modified time.Time // of the file; zero where there is none
	size     int64
	folders  []string          // to be watched
	code     map[string]string // by the path of a function's folder, what it leads to
}

// takeSnapshot finds out what paths lead to now: that of the template, and those
// of the functions' folders. The paths are absolute.
func takeSnapshot(template string, code []string) *snapshot {
	folders := map[string]bool{}
	s := &snapshot{code: map[string]string{}}
	s.file = resolve(template, folders)
	folders[filepath.Dir(s.file)] = true
	if info, err := os.Stat(s.file); err == nil {
		s.modified, s.size = info.ModTime(), info.Size()
	}
	for _, path := range code {
		s.code[path] = resolve(path, folders)
	}
	for _, folder := range slices.Collect(maps.Keys(folders)) {
		folders[filepath.Dir(folder)] = true // where a folder is seen to take the place of another
	}
	s.folders = slices.Sorted(maps.Keys(folders))
	return s
}

// same reports whether nothing has changed: no link leads elsewhere, and the
// template is the same file. A path that only one of them knows is no change.
func (s *snapshot) same(other *snapshot) bool {
	for path, target := range s.code {
		if before, known := other.code[path]; known && before != target {
			return false
		}
	}
	return s.file == other.file && s.modified.Equal(other.modified) && s.size == other.size
}

// maxLinks is how many symbolic links a path may lead through.
const maxLinks = 255

// resolve follows the symbolic links of an absolute path, one by one, and adds
// the folders that they lie in: in them it is seen when a link is swapped. It
// returns what the path leads to, which need not be there.
func resolve(path string, folders map[string]bool) string {
	volume := filepath.VolumeName(path)
	root := volume + string(filepath.Separator)
	at, rest := root, split(path[len(volume):])
	for links := 0; len(rest) > 0 && links < maxLinks; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		target, err := os.Readlink(next)
		if err != nil { // no link, or nothing
			at = next
			continue
		}
		links++
		folders[at] = true
		if filepath.IsAbs(target) {
			at = root
			target = target[len(filepath.VolumeName(target)):]
		}
		rest = append(split(target), rest...)
	}
	return filepath.Join(append([]string{at}, rest...)...)
}

// split parts a path into its names.
func split(path string) []string {
	return strings.FieldsFunc(filepath.ToSlash(path), func(c rune) bool { return c == '/' })
}
