package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Regular expressions of package variables are compiled when they are used first, so
// that no program pays for them at its start; so this test compiles them.
func TestRegularExpressions(t *testing.T) {
	t.Parallel()
	files, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	compiled := 0
	for _, file := range files {
		if file.test || file.dir() == "internal/lazyregexp" || strings.HasPrefix(file.path, "tools/") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file.path, file.text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range syntax.Decls {
			_, isFunction := declaration.(*ast.FuncDecl)
			ast.Inspect(declaration, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				switch callee(call) {
				case "regexp.MustCompile":
					if !isFunction {
						t.Errorf("%s has a regexp.MustCompile that runs at the start of every program: make it a lazyregexp.New", file.path)
					}
				case "lazyregexp.New":
					literal, ok := call.Args[0].(*ast.BasicLit)
					if !ok {
						return true // tests of its package use it
					}
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := regexp.Compile(text); err != nil {
						t.Errorf("%s: %v", file.path, err)
					}
					compiled++
				}
				return true
			})
		}
	}
	if compiled == 0 {
		t.Error("found no regular expression")
	}
}

// callee returns the name of a called function of another package: "regexp.Compile".
func callee(call *ast.CallExpr) string {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	of, ok := selector.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return of.Name + "." + selector.Sel.Name
}
