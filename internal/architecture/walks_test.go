package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// walks are the sections of docs/architecture.md that go through the code by the
// names of functions.
var walks = []string{"From main to the first connection", "A message, from socket to backend and back"}

var (
	// step is a line of a walk: `gateway.(*pipeline).run`, or, where its callers
	// know it by another name, `gateway.(*pipeline).validate` (by `messageStations`).
	step = regexp.MustCompile("^ *(?:-|\\d+\\.) `([^`]+)`(?: \\(by `([A-Za-z.]+)`\\))?")
	// functionName is a function or a method with its package.
	functionName = regexp.MustCompile("`([a-z0-9]+\\.(?:\\(\\*?[A-Za-z]+\\)\\.)?[A-Za-z]+)`")
)

// function is what the tests have to know of a function.
type function struct {
	file  string
	lines int
	uses  map[string]bool // identifiers in its body
}

// functions are all functions of the module but those of tests, by their names with
// the package in front: plan.(*Stage).Select.
var functions = sync.OnceValues(func() (map[string]*function, error) {
	files, err := sources()
	if err != nil {
		return nil, err
	}
	all := make(map[string]*function)
	for _, file := range files {
		if file.test || strings.HasPrefix(file.path, "tools/") || strings.HasPrefix(file.path, "examples/") {
			continue
		}
		positions := token.NewFileSet()
		syntax, err := parser.ParseFile(positions, file.path, file.text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range syntax.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			name := syntax.Name.Name + "." + receiver(f) + f.Name.Name
			if all[name] == nil { // or else it has one for each system
				all[name] = &function{file: file.path, uses: make(map[string]bool)}
			}
			all[name].lines = max(all[name].lines, positions.Position(f.End()).Line-positions.Position(f.Pos()).Line+1)
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if identifier, ok := n.(*ast.Ident); ok {
					all[name].uses[identifier.Name] = true
				}
				return true
			})
		}
	}
	return all, nil
})

// receiver is "(*Stage)." for a method of *Stage, "(Stage)." for one of Stage, and ""
// for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	star, of := "", f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		star, of = "*", pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return "(" + star + name.Name + ")."
	}
	return ""
}

// TestWalksAreTrue: every function that a walk names exists, and every step but the
// first is called by one of the steps before it, or at least named there.
func TestWalksAreTrue(t *testing.T) {
	t.Parallel()
	all, err := functions()
	if err != nil {
		t.Fatal(err)
	}
	for _, walk := range walks {
		_, text, found := strings.Cut(page(t), "\n### "+walk+"\n")
		text, _, ended := strings.Cut(text, "\n##")
		if !found || !ended {
			t.Errorf("docs/architecture.md has no section %s", walk)
			continue
		}
		for _, name := range functionName.FindAllStringSubmatch(text, -1) {
			if all[name[1]] == nil {
				t.Errorf("%s names %s, which does not exist", walk, name[1])
			}
		}
		var before []*function
		for line := range strings.Lines(text) {
			match := step.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			f := all[match[1]]
			if f == nil {
				t.Errorf("%s: the step %s is no function", walk, match[1])
				continue
			}
			called := match[1][strings.LastIndexByte(match[1], '.')+1:]
			if match[2] != "" {
				called = match[2]
			}
			if len(before) > 0 && !usedBy(before, called) {
				t.Errorf("%s: no step before %s has %s in it", walk, match[1], called)
			}
			before = append(before, f)
		}
		if len(before) < 10 {
			t.Errorf("%s has %d steps: too few to be read right", walk, len(before))
		}
	}
}

// usedBy reports whether one of some functions has an identifier in it.
func usedBy(functions []*function, identifier string) bool {
	for _, f := range functions {
		if f.uses[identifier] {
			return true
		}
	}
	return false
}
