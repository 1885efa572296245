package lambda

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// maxScanned is the size of the largest source file that is searched for
// imports. Larger ones are bundles, which have what they import.
const maxScanned = 1 << 20

var (
	nodeImport   = lazyregexp.New(`(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'](@(?:aws-sdk|smithy)/[\w.-]+|aws-sdk)["'/]`)
	pythonImport = lazyregexp.New(`(?m)^\s*(?:import|from)\s+(?:[\w.]+\s*,\s*)*(?:boto3|botocore)\b`)
)

// importedPackages returns the AWS packages that are named in a Node.js
// function's own sources.
func importedPackages(dir string) []string {
	found := map[string]bool{}
	var names []string
	scanSources(dir, []string{".js", ".mjs", ".cjs"}, func(source []byte) bool {
		for _, match := range nodeImport.Compiled().FindAllSubmatch(source, -1) {
			if name := string(match[1]); !found[name] {
				found[name] = true
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

// hasPackage reports whether Node.js finds the package by itself: in a
// node_modules folder of the function or above it, or in a layer.
func hasPackage(f Function, dir, name string) bool {
	for at := dir; ; at = filepath.Dir(at) {
		if isDir(filepath.Join(at, "node_modules", filepath.FromSlash(name))) {
			return true
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return slices.ContainsFunc(f.Layers, func(layer string) bool {
		return isDir(filepath.Join(layer, "nodejs", "node_modules", filepath.FromSlash(name)))
	})
}

// importsBoto3 reports whether a Python function imports boto3 or botocore and
// does not have it in its folder or layers.
func importsBoto3(f Function, dir string) bool {
	if isDir(filepath.Join(dir, "boto3")) {
		return false
	}
	if slices.ContainsFunc(f.Layers, func(layer string) bool { return isDir(filepath.Join(layer, "python", "boto3")) }) {
		return false
	}
	needed := false
	scanSources(dir, []string{".py"}, func(source []byte) bool {
		needed = pythonImport.Compiled().Match(source)
		return !needed
	})
	return needed
}

// scanSources calls each with the text of source files, until it returns false.
func scanSources(dir string, endings []string, each func([]byte) bool) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if ignored(dir, path) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() || !slices.Contains(endings, strings.ToLower(filepath.Ext(path))) {
			return nil
		}
		if info, err := entry.Info(); err != nil || info.Size() > maxScanned {
			return nil
		}
		source, err := os.ReadFile(path)
		if err == nil && !each(source) {
			return filepath.SkipAll
		}
		return nil
	})
}
