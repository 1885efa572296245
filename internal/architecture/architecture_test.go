package architecture

import (
	"bytes"
	"go/format"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is the length of the longest file that is not a test.
const maxLines = 600

// maxFunctionLines is the length of the longest function that is not a test, and no
// table.
const maxFunctionLines = 60

// tableFunctions are functions that are nothing but a table.
var tableFunctions = []string{"config.(*Config).keys"}

func TestPackagesImportFromLowerLayers(t *testing.T) {
	t.Parallel()
	table := layers(t)
	for _, file := range allSources(t) {
		for _, imported := range file.imports {
			rest, ours := strings.CutPrefix(imported+"/", module+"/")
			if !ours {
				continue
			}
			target := strings.TrimSuffix(rest, "/")
			if target == "" {
				target = "."
			}
			switch from, to := table[file.dir()], table[target]; {
			case file.test:
				// A test may use what it likes.
			case to >= from && to == aboveAll:
				t.Errorf("%s imports %s, which is for tests only", file.path, target)
			case to >= from:
				t.Errorf("%s (layer %d) imports %s (layer %d)", file.path, from, target, to)
			}
		}
	}
}

func TestTheTableHasEveryPackage(t *testing.T) {
	t.Parallel()
	table := layers(t)
	exists := make(map[string]bool)
	for _, file := range allSources(t) {
		exists[file.dir()] = true
	}
	for dir := range exists {
		if _, ok := table[dir]; !ok {
			t.Errorf("package %s is not in the table of docs/architecture.md", dir)
		}
	}
	for dir := range table {
		if !exists[dir] {
			t.Errorf("docs/architecture.md names package %s, which does not exist", dir)
		}
	}
}

func TestPackagesHaveDocComments(t *testing.T) {
	t.Parallel()
	documented := make(map[string]bool)
	for _, file := range allSources(t) {
		name := path.Base(file.dir())
		if file.dir() == "." {
			name = path.Base(module)
		}
		for _, start := range []string{"Package " + name, "Command " + name} {
			if strings.HasPrefix(file.doc, start+" ") {
				documented[file.dir()] = true
			}
		}
	}
	for dir := range layers(t) {
		if !documented[dir] {
			t.Errorf("package %s has no doc comment that starts with its name", dir)
		}
	}
}

func TestPackageNamesSayWhatIsInThem(t *testing.T) {
	t.Parallel()
	meaningless := []string{"base", "common", "helper", "helpers", "misc", "shared", "types", "util", "utils"}
	for dir := range layers(t) {
		if slices.Contains(meaningless, path.Base(dir)) {
			t.Errorf("package %s has a name that says nothing", dir)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, file := range allSources(t) {
		if lines := bytes.Count(file.text, []byte("\n")); lines > maxLines && !file.test {
			t.Errorf("%s has %d lines, more than %d", file.path, lines, maxLines)
		}
	}
}

func TestFunctionsAreShort(t *testing.T) {
	t.Parallel()
	all, err := functions()
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range all {
		if f.lines > maxFunctionLines && !slices.Contains(tableFunctions, name) {
			t.Errorf("%s: %s has %d lines, more than %d", f.file, name, f.lines, maxFunctionLines)
		}
	}
}

func TestFilesAreFormatted(t *testing.T) {
	t.Parallel()
	for _, file := range allSources(t) {
		formatted, err := format.Source(file.text)
		if err != nil {
			t.Errorf("%s: %v", file.path, err)
		} else if !bytes.Equal(formatted, file.text) {
			t.Errorf("%s is not formatted; run gofmt -w", file.path)
		}
	}
}

// libraryRow is a row of the tables of libraries. A name stands for everything
// below it.
var libraryRow = regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+)`[^|]*\\|")

func TestLibrariesAreNamed(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool) // by name, whether it is imported
	for _, row := range libraryRow.FindAllStringSubmatch(page(t), -1) {
		used[row[1]] = false
	}
	unnamed := make(map[string]string) // by import, a file that has it
	for _, file := range allSources(t) {
		for _, imported := range file.imports {
			first, _, _ := strings.Cut(imported, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(imported+"/", module+"/") {
				continue
			}
			if name := libraryOf(imported, used); name != "" {
				used[name] = true
			} else {
				unnamed[imported] = file.path
			}
		}
	}
	for _, imported := range slices.Sorted(maps.Keys(unnamed)) {
		t.Errorf("docs/architecture.md does not name %s, which %s imports", imported, unnamed[imported])
	}
	for name, imported := range used {
		if !imported {
			t.Errorf("docs/architecture.md names %s, which nothing imports", name)
		}
	}
}

// libraryOf returns the name that covers an import, or "".
func libraryOf(imported string, names map[string]bool) string {
	for name := range names {
		if strings.HasPrefix(imported+"/", name+"/") {
			return name
		}
	}
	return ""
}
