package lambda

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// maxIgnoreFile is the size, in bytes, up to which a .gitignore file is read.
const maxIgnoreFile = 1 << 20

// gitignores reads .gitignore files, and reads them again when they change.
type gitignores struct {
	mu    sync.Mutex
	files map[string]*ignoreFile // guarded by mu; by folder
}

// ignoreFile is a .gitignore file as it was read.
type ignoreFile struct {
	modified time.Time
	size     int64
	lines    []string
}

// name reports whether the .gitignore files of the function's repository match
// a file below its folder. Such a file is not code but a build's or a program's
// output. A folder with the function's handler is code nevertheless, because
// compilers write into folders that are not committed.
func (g *gitignores) name(f Function, path string) bool {
	dir := filepath.Clean(f.CodeDir)
	if dir == "." || !isBelow(dir, path) {
		return false
	}
	top := repository(dir)
	if handler := g.ignoredPart(top, handlerFile(f, dir)); handler != "" && (path == handler || isBelow(handler, path)) {
		return false
	}
	return g.ignoredPart(top, path) != ""
}

// ignoredPart returns the highest folder on the way from top to a path that a
// .gitignore file matches, or the path itself; "" if there is none.
func (g *gitignores) ignoredPart(top, path string) string {
	relative, err := filepath.Rel(top, path)
	if err != nil {
		return ""
	}
	names := strings.Split(relative, string(filepath.Separator))
	var patterns []gitignore.Pattern
	folder := top
	for i, name := range names {
		for _, line := range g.lines(folder) {
			patterns = append(patterns, gitignore.ParsePattern(line, names[:i]))
		}
		folder = filepath.Join(folder, name)
		if gitignore.NewMatcher(patterns).Match(names[:i+1], i < len(names)-1 || isDir(folder)) {
			return folder
		}
	}
	return ""
}

// lines returns the patterns of a folder's .gitignore file.
func (g *gitignores) lines(folder string) []string {
	file := filepath.Join(folder, ".gitignore")
	g.mu.Lock()
	defer g.mu.Unlock()
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxIgnoreFile {
		delete(g.files, folder)
		return nil
	}
	if read := g.files[folder]; read != nil && read.modified.Equal(info.ModTime()) && read.size == info.Size() {
		return read.lines
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	read := &ignoreFile{modified: info.ModTime(), size: info.Size()}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			read.lines = append(read.lines, line)
		}
	}
	if g.files == nil || len(g.files) > 1000 { // far more folders than code has
		g.files = map[string]*ignoreFile{}
	}
	g.files[folder] = read
	return read.lines
}

// repository returns the top folder of the repository that dir is in, or dir.
func repository(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if exists(filepath.Join(at, ".git")) {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// handlerFile returns the path of the file with a function's handler, which may
// not exist.
func handlerFile(f Function, dir string) string {
	if !strings.HasPrefix(f.Runtime, "nodejs") && !strings.HasPrefix(f.Runtime, "python") {
		return filepath.Join(dir, "bootstrap")
	}
	module := f.Handler
	if dot := strings.LastIndexByte(module, '.'); dot >= 0 {
		module = module[:dot]
	}
	endings := []string{".js", ".mjs", ".cjs"}
	if strings.HasPrefix(f.Runtime, "python") {
		module, endings = strings.ReplaceAll(module, ".", "/"), []string{".py"}
	}
	path := filepath.Join(dir, filepath.FromSlash(module))
	if there := slices.IndexFunc(endings, func(ending string) bool { return exists(path + ending) }); there >= 0 {
		return path + endings[there]
	}
	return path + endings[0]
}
