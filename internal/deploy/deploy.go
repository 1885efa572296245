// Package deploy applies a template to a running gateway through its control
// plane. `stagedoor deploy` is built on it.
//
// There are four steps. Wanted returns the state that a template describes,
// Read the state of the same stack in the gateway, Compare returns the plan of
// what has to change, and Plan.Apply carries it out. Compare sends no requests,
// so a plan can be shown before it is applied.
//
// Tags in the gateway mark what belongs to a stack; nothing is kept anywhere
// else. The tags of an API are the name of its stack and its logical id. All
// parts of the API belong to the stack, except for stages that were made in
// another way. Within an API, routes are recognised by their keys, models,
// authorizers and stages by their names, and integrations by their properties,
// or by the routes that lead to them.
//
// A tag of a stage has the deployment that it was pointed at, and a fingerprint
// of the content of that deployment. The tag is written last. So when a request
// or the program fails half-way, the next run goes on from there.
package deploy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// Tags by which a stack is recognised.
const (
	tagStack    = "stagedoor:stack"      // of APIs, stages, domain names, API keys and usage plans
	tagLogical  = "stagedoor:logical-id" // of APIs: the name in the template; of API keys and usage plans: their id there
	tagDeployed = "stagedoor:deployed"   // of stages: deployment and fingerprint
)

// TagLogical is the tag with the logical id of an API in its stack.
const TagLogical = tagLogical

// stackName matches the names that CloudFormation accepts for stacks.
var stackName = lazyregexp.New(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

// CheckStackName returns an error that says what is wrong with a stack's name,
// nil for a good one.
func CheckStackName(name string) error {
	if !stackName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a stack: it must begin with a letter and have letters, digits and hyphens, 128 at most", name)
	}
	return nil
}

// State is the content of a stack: in a template, or in a gateway.
type State struct {
	stack   string
	apis    []*api
	domains []*domain
	keys    []*apiKey
	plans   []*usagePlan
	hidden  []string // kinds of resources that the gateway refused to show

	accountID string   // of a template
	account   *account // of a gateway
}

// Stack is the name of the stack.
func (s *State) Stack() string { return s.stack }

// API is an API of a gateway, with the URL to connect to.
type API struct {
	LogicalID string
	Name      string
	ID        string
	Endpoint  string // wss://…, without a stage
	Stages    []string
}

// APIs lists the APIs of a gateway's state.
func (s *State) APIs() []API {
	var list []API
	for _, a := range s.apis {
		name, _ := a.properties["name"].(string)
		next := API{LogicalID: a.logicalID, Name: name, ID: a.id, Endpoint: a.endpoint}
		for _, stage := range a.stages {
			next.Stages = append(next.Stages, stage.name)
		}
		list = append(list, next)
	}
	slices.SortFunc(list, func(a, b API) int { return strings.Compare(a.LogicalID, b.LogicalID) })
	return list
}

// api is a WebSocket API with what is in it.
type api struct {
	resource
	logicalID string
	endpoint  string // of one in the gateway; wss://…

	models, authorizers, integrations, routes []*resource
	stages                                    []*stage

	deployments []*wire.Deployment // of the gateway's
}

// resource is an API or a part of one. Its name is for messages.
type resource struct {
	*kind
	id         string // in the gateway; for one in a template, a reference
	name       string
	properties properties
	tags       map[string]string
	children   []*resource // the responses of routes and integrations
}

// stage is a stage with what is deployed on it.
type stage struct {
	resource
	deployed   bool   // in a template: a deployment is put on it
	deployment string // in the gateway: the id of the deployment on it
}

// domain is a custom domain name with its mappings.
type domain struct {
	name     string
	tags     map[string]string
	mappings []apiMapping
}

// apiMapping puts a stage of an API below a key of a domain.
type apiMapping struct {
	id, key    string
	api, stage string // the API by its id in the gateway, or by a reference
}

// properties are the members of a resource, by their names in the API. Empty
// ones are left out.
type properties map[string]any

// propertiesOf returns those members of a structure of package wire, or of one
// with the same names in package apigw, that a kind of resource has.
func (k *kind) propertiesOf(structure any) properties {
	all := properties(convert[map[string]any](structure))
	p := properties{}
	for name, value := range all {
		if k.members[name] && !isEmpty(value) {
			p[name] = value
		}
	}
	for _, name := range k.merged {
		if entries, ok := p[name].(map[string]any); ok {
			for key, value := range entries {
				if value == "" {
					delete(entries, key) // an empty entry is one that is removed
				}
			}
			if len(entries) == 0 {
				delete(p, name)
			}
		}
	}
	for name, value := range k.defaults {
		if _, given := p[name]; !given {
			p[name] = value
		}
	}
	return p
}

// isEmpty reports whether a value means the same as a missing one.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// convert turns a structure into one of another type, by way of JSON. The names
// of members may differ in case.
func convert[To any](from any) To {
	var to To
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, &to)
	}
	if err != nil {
		panic(fmt.Sprintf("deploy: %T is no %T: %v", from, to, err)) // both are ours
	}
	return to
}

// A reference stands for an id that the gateway has not given yet, anywhere in
// a text. It has a form that no text in a template has.
func reference(id string) string { return "\x00" + id + "\x00" }

var references = lazyregexp.New("\x00[^\x00]*\x00")

// resolver has the ids that references stand for.
type resolver map[string]string

// text replaces the known references in a text by ids.
func (r resolver) text(s string) string {
	if !strings.Contains(s, "\x00") {
		return s
	}
	return references.Compiled().ReplaceAllStringFunc(s, func(found string) string {
		if id, known := r[found]; known {
			return id
		}
		return found
	})
}

// value resolves all texts of a value.
func (r resolver) value(v any) any {
	return eachText(v, r.text)
}

// properties resolves all texts of properties.
func (r resolver) properties(p properties) properties {
	if p == nil {
		return nil
	}
	return properties(r.value(map[string]any(p)).(map[string]any))
}

// tags resolves the values of tags.
func (r resolver) tags(tags map[string]string) map[string]string {
	resolved := make(map[string]string, len(tags))
	for key, value := range tags {
		resolved[key] = r.text(value)
	}
	return resolved
}

// texts resolves a list.
func (r resolver) texts(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = r.text(list[i])
	}
	return list
}

// eachText returns a copy of a JSON value with all of its texts changed, but
// the keys of objects.
func eachText(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = eachText(value, change)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, value := range v {
			out[i] = eachText(value, change)
		}
		return out
	}
	return v
}
