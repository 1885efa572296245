package backends

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/spelling"
	"github.com/stagedoor/stagedoor/internal/template"
)

// longestTimeout is that of a function of which no template says more.
const longestTimeout = 15 * time.Minute

// Handlers are functions that are Go code of this process, by their names or by
// their logical ids in a template.
type Handlers map[string]lambda.InProcess

// of returns the handler of a template's function; nil for none.
func (h Handlers) of(f *template.Function) lambda.InProcess {
	if handler := h[f.LogicalID]; handler != nil {
		return handler
	}
	return h[f.Name]
}

// Provides reports whether there is a handler for a function of a template, by its
// logical id or its name.
func (h Handlers) Provides(logicalID, name string) bool { return h[logicalID] != nil || h[name] != nil }

// Functions returns the handlers as they are run, with what a template says of
// them.
func (h Handlers) Functions(loaded []*template.Function) (list []lambda.Function) {
	described := map[string]bool{}
	for _, f := range loaded {
		if handler := h.of(f); handler != nil {
			list = append(list, lambda.Function{Name: f.Name, ARN: f.ARN, Timeout: f.Timeout, InProcess: handler})
			described[f.LogicalID], described[f.Name] = true, true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !described[name] {
			list = append(list, lambda.Function{Name: name, Timeout: longestTimeout, InProcess: h[name]})
		}
	}
	return list
}

// Others returns the functions of a template that no handler is for.
func (h Handlers) Others(loaded []*template.Function) []*template.Function {
	return slices.DeleteFunc(slices.Clone(loaded), func(f *template.Function) bool { return h.of(f) != nil })
}

// Check returns an error for a handler of a function that an application neither
// has nor calls.
func (h Handlers) Check(app *template.Application) error {
	var known []string
	for _, f := range app.Functions {
		known = append(known, f.LogicalID, f.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !slices.Contains(known, name) && !calls(app, name) {
			return fmt.Errorf("the application has no function %s, and calls none%s", name, spelling.Hint(name, known))
		}
	}
	return nil
}

// calls reports whether an integration or an authorizer of an application calls a
// function, or may do so by a stage variable.
func calls(app *template.Application, name string) bool {
	var uris []string
	for _, a := range app.APIs {
		for _, i := range a.API.Integrations {
			uris = append(uris, i.IntegrationUri)
		}
		for _, authorizer := range a.API.Authorizers {
			uris = append(uris, authorizer.AuthorizerUri)
		}
	}
	return slices.ContainsFunc(uris, func(uri string) bool {
		if function, ok := apigw.FunctionOfURI(uri); ok {
			uri = function
		}
		return apigw.FunctionName(uri) == name || strings.Contains(uri, "${stageVariables.")
	})
}
