package stagedoor

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// follows is what the template and the code stand for on the disk at a moment,
// and where to look for changes of that.
type follows struct {
	file     string    // what the template's path leads to
	modified time.Time // of the file; zero where there is none
	size     int64
	folders  []string          // to be watched
	code     map[string]string // by the path of a function's folder, what it leads to
}

// look finds out what the paths lead to now.
func look(template string, code []string) *follows {
	folders := map[string]bool{}
	f := &follows{code: map[string]string{}}
	f.file = resolve(template, folders)
	folders[filepath.Dir(f.file)] = true
	if info, err := os.Stat(f.file); err == nil {
		f.modified, f.size = info.ModTime(), info.Size()
	}
	for _, path := range code {
		f.code[path] = resolve(path, folders)
	}
	for _, folder := range slices.Collect(maps.Keys(folders)) {
		folders[filepath.Dir(folder)] = true // where a folder is seen to take the place of another
	}
	f.folders = slices.Sorted(maps.Keys(folders))
	return f
}

// same reports whether nothing has changed: no link leads elsewhere, and the
// template is the same file. A path that only one of them knows is no change.
func (f *follows) same(other *follows) bool {
	for path, target := range f.code {
		if before, known := other.code[path]; known && before != target {
			return false
		}
	}
	return f.file == other.file && f.modified.Equal(other.modified) && f.size == other.size
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
