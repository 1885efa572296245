// Package architecture holds the code and the documents together. It has tests
// only: they read docs/architecture.md, docs/security.md, docs/behaviour.md and
// the source of the module.
package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the import path of the root package.
const module = "github.com/stagedoor/stagedoor"

// root is the folder of the module, seen from this package.
var root = filepath.Join("..", "..")

// sourceFile is a Go file of the module, whatever system it is for.
type sourceFile struct {
	path    string // relative to root, with slashes
	text    []byte
	test    bool
	imports []string
	doc     string // the package doc comment, if this file has it
}

// dir is the package's folder, "." for the root package.
func (f *sourceFile) dir() string { return path.Dir(f.path) }

// sources returns all Go files of the root module. They are read once.
var sources = sync.OnceValues(func() ([]*sourceFile, error) {
	var files []*sourceFile
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && skipped(name, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := readSource(name)
		files = append(files, file)
		return err
	})
	return files, err
})

// skipped says whether a folder holds no Go code of the module: other modules
// are not ours to judge here.
func skipped(folder, base string) bool {
	if base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") {
		return true
	}
	_, err := os.Stat(filepath.Join(folder, "go.mod"))
	return err == nil
}

func readSource(name string) (*sourceFile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return nil, err
	}
	file := &sourceFile{path: filepath.ToSlash(relative), text: text, test: strings.HasSuffix(name, "_test.go"), doc: docOf(syntax)}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		file.imports = append(file.imports, imported)
	}
	return file, nil
}

func docOf(file *ast.File) string {
	if file.Doc == nil {
		return ""
	}
	return file.Doc.Text()
}

// allSources returns the files, or ends the test.
func allSources(t *testing.T) []*sourceFile {
	t.Helper()
	files, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// page returns docs/architecture.md.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What waits or is measured goes by the monotonic clock, since anybody may set the
// other one: nothing is made of the number of nanoseconds since 1970.
func TestNothingIsMeasuredByTheWallClock(t *testing.T) {
	t.Parallel()
	for _, file := range allSources(t) {
		if file.test {
			continue
		}
		for _, wall := range []string{".UnixNano()", "time.Unix(0,"} {
			if strings.Contains(string(file.text), wall) {
				t.Errorf("%s uses %s: keep a time.Time, or what has passed since one", file.path, wall)
			}
		}
	}
}
