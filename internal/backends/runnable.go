package backends

import (
	"path/filepath"

	"github.com/stagedoor/stagedoor/internal/archive"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/template"
)

// Runnable returns the functions of a template as package lambda runs them. Code in
// an archive is unpacked into a folder of the cache; a function whose archive
// cannot be unpacked says so when it is called.
func Runnable(loaded []*template.Function, cache string) []lambda.Function {
	var list []lambda.Function
	for _, f := range loaded {
		next := lambda.Function{
			Name: f.Name, ARN: f.ARN, Runtime: f.Runtime, Handler: f.Handler,
			CodeDir: target(f.CodeDir), InlineCode: f.InlineCode, MemoryMB: f.MemoryMB,
			Timeout: f.Timeout, Environment: f.Environment, Layers: f.Layers, Unavailable: f.Unavailable,
		}
		if f.Archive != "" && next.Unavailable == "" {
			var err error
			if next.CodeDir, err = archive.Unpack(f.Archive, filepath.Join(cache, "archives")); err != nil {
				next.Unavailable = err.Error()
			}
		}
		list = append(list, next)
	}
	return list
}

// target returns what a folder's path leads to: a link that is swapped is other
// code.
func target(folder string) string {
	if folder == "" { // the code is in the template
		return ""
	}
	if target, err := filepath.EvalSymlinks(folder); err == nil {
		return target
	}
	return folder
}
