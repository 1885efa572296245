package shortfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

const (
	routeConnect    = "$connect"
	routeDisconnect = "$disconnect"
	routeDefault    = "$default"
)

// Bounds of API Gateway and Lambda.
const (
	mostFunction    = 15 * time.Minute
	leastMemory     = 128
	mostMemory      = 10240
	maxRouteKey     = 1024
	maxStage        = 128
	maxAPIs         = 100
	maxProblems     = 100
	maxTags         = 50
	describesAPI    = "an API has select, stage, tags and routes"
	describesTarget = "a URL, or keys: url, or function with runtime"
)

var (
	apiName   = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
	stageName = lazyregexp.New(`^[A-Za-z0-9_-]+$`)
	variable  = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]+$`)
)

// Parse reads the value of `apis`; name is the file's. It returns all mistakes,
// in the order of the file. The *File must not be used if there are any.
func Parse(name string, node *yaml.Node) (*File, mistake.List) {
	p := &parser{reader: reader{source: name}, file: &File{Name: name}}
	p.entries(node, "apis", func(e entry) { p.api(e) })
	p.distinct()
	slices.SortStableFunc(p.problems, func(a, b mistake.Mistake) int { return a.Line - b.Line })
	return p.file, p.problems
}

type parser struct {
	reader
	file *File
}

func (p *parser) api(e entry) {
	api := &API{Name: e.name, Select: defaultSelect, Stage: defaultStage, line: e.line}
	switch {
	case !apiName.MatchString(e.name):
		p.problem(e.line, "apis", "%q cannot be the name of an API: it begins with a letter and has letters, digits, - and _, 64 at most", e.name)
	case len(p.file.APIs) == maxAPIs:
		p.problem(e.line, e.path, "the file has more than %d APIs", maxAPIs)
		return
	}
	p.file.APIs = append(p.file.APIs, api)
	if resolve(e.value).Kind != yaml.MappingNode {
		p.problem(e.line, e.path, "%s", describesAPI)
		return
	}
	before := len(p.problems)
	p.fields(e.value, e.path, fields{
		{"select", func(e entry) {
			p.checked(e, &api.Select, func(text string) error {
				_, err := expression.Parse(text)
				return err
			})
		}},
		{"stage", func(e entry) {
			p.checked(e, &api.Stage, func(text string) error {
				if !stageName.MatchString(text) || len(text) > maxStage {
					return fmt.Errorf("%q is not the name of a stage: letters, digits, - and _, %d at most", text, maxStage)
				}
				return nil
			})
		}},
		{"tags", func(e entry) { api.Tags = p.texts(e, maxTags, nil) }},
		{"routes", func(e entry) {
			p.entries(e.value, e.path, func(e entry) { p.route(api, e) })
		}},
	})
	if len(p.problems) == before && len(api.Routes) == 0 {
		p.problem(e.line, e.path, "has no routes, so that nothing answers its clients")
	}
}

func (p *parser) route(api *API, e entry) {
	route := &Route{Key: e.name, line: e.line, Answers: e.name != routeConnect && e.name != routeDisconnect}
	predefined := []string{routeConnect, routeDefault, routeDisconnect}
	switch {
	case strings.HasPrefix(e.name, "$") && !slices.Contains(predefined, e.name):
		p.problem(e.line, e.path, "only $connect, $default and $disconnect begin with a $%s", spelling.Hint(e.name, predefined))
	case e.name == "" || len(e.name) > maxRouteKey:
		p.problem(e.line, e.path, "the key of a route has 1 to %d characters", maxRouteKey)
	}
	api.Routes = append(api.Routes, route)
	switch n := resolve(e.value); {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		p.problem(e.line, e.path, "leads nowhere: give it %s", describesTarget)
	case n.Kind == yaml.ScalarNode:
		route.HTTP = &HTTP{Method: defaultMethod}
		p.checked(e, &route.HTTP.URL, checkURL)
	case n.Kind == yaml.MappingNode:
		p.target(route, e)
	default:
		p.problem(e.line, e.path, "expected %s", describesTarget)
	}
}

// target reads a route that is written as a mapping. The keys that it may have
// depend on whether it leads to a URL or a function.
func (p *parser) target(route *Route, e entry) {
	switch names := namesOf(e.value); {
	case slices.Contains(names, "nats"):
		p.problem(e.line, e.path, "nats: subjects are not built yet; a route leads to a url or a function")
	case slices.Contains(names, "url") && slices.Contains(names, "function"):
		p.problem(e.line, e.path, "has both url and function; a route leads to one of them")
	case slices.Contains(names, "function"):
		p.function(route, e)
	case slices.Contains(names, "url"):
		p.backend(route, e)
	default:
		hint := ""
		for _, name := range names {
			hint = cmp.Or(hint, spelling.Hint(name, []string{"url", "function"}))
		}
		p.problem(e.line, e.path, "leads nowhere: it has neither url nor function%s", hint)
	}
}

func (p *parser) backend(route *Route, e entry) {
	route.HTTP = &HTTP{Method: defaultMethod}
	p.fields(e.value, e.path, fields{
		{"url", func(e entry) { p.checked(e, &route.HTTP.URL, checkURL) }},
		{"method", func(e entry) { p.checked(e, &route.HTTP.Method, checkMethod) }},
		{"timeout", func(e entry) { p.duration(e, &route.HTTP.Timeout, apigw.MinTimeout, apigw.MaxTimeout) }},
		{"answer", func(e entry) { p.answer(e, route) }},
	})
}

func (p *parser) function(route *Route, e entry) {
	f := &Function{Handler: defaultHandler}
	route.Function = f
	before := len(p.problems)
	p.fields(e.value, e.path, fields{
		{"function", func(e entry) { p.checked(e, &f.Dir, checkFolder) }},
		{"runtime", func(e entry) { p.checked(e, &f.Runtime, checkRuntime) }},
		{"handler", func(e entry) { p.checked(e, &f.Handler, nil) }},
		{"timeout", func(e entry) {
			p.duration(e, &f.Timeout, time.Second, mostFunction)
			if f.Timeout%time.Second != 0 {
				p.problem(e.line, e.path, "a function's timeout is in whole seconds")
			}
		}},
		{"memory", func(e entry) { p.integer(e, &f.Memory, leastMemory, mostMemory) }},
		{"environment", func(e entry) {
			f.Environment = p.texts(e, 0, func(name string) error {
				if !variable.MatchString(name) {
					return fmt.Errorf("%q is not the name of a variable: a letter, then one or more letters, digits or _", name)
				}
				return nil
			})
		}},
		{"answer", func(e entry) { p.answer(e, route) }},
	})
	if len(p.problems) == before && f.Runtime == "" {
		p.problem(e.line, e.path, "a function needs a runtime, such as nodejs20.x, python3.12 or provided.al2023 (Go)")
	}
}

func (p *parser) answer(e entry, route *Route) {
	given := p.boolean(e, &route.Answers)
	if given && route.Answers && (route.Key == routeConnect || route.Key == routeDisconnect) {
		p.problem(e.line, e.path, "there is nobody to answer on %s", route.Key)
	}
}

// distinct reports names of APIs that differ only in case or in other
// characters than letters and digits: logical ids begin with these names,
// without such characters.
func (p *parser) distinct() {
	first := map[string]string{}
	for _, api := range p.file.APIs {
		id := logicalName(api.Name)
		if other, taken := first[id]; taken {
			p.problem(api.line, "apis."+api.Name, "the names %s and %s differ in signs or case alone; choose another", other, api.Name)
			continue
		}
		first[id] = api.Name
	}
}
