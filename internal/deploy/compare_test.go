package deploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// asDeployed is what a gateway has that is as wanted: its ids are "gw1", "gw2"
// and so on.
func asDeployed(want *State) *State {
	known := resolver{}
	n := 0
	number := func(r *resource) {
		n++
		known[r.id] = fmt.Sprint("gw", n)
	}
	for _, a := range want.apis {
		number(&a.resource)
		for _, list := range [][]*resource{a.models, a.authorizers, a.integrations, a.routes} {
			for _, r := range list {
				number(r)
				for _, child := range r.children {
					number(child)
				}
			}
		}
		known[reference(deploymentOf(strings.Trim(a.id, "\x00")))] = "deployed"
	}
	var real func(r *resource) *resource
	real = func(r *resource) *resource {
		made := &resource{kind: r.kind, id: known[r.id], name: r.name, properties: known.properties(r.properties), tags: known.tags(r.tags)}
		for _, child := range r.children {
			made.children = append(made.children, real(child))
		}
		return made
	}
	have := &State{stack: want.stack}
	for _, a := range want.apis {
		made := &api{resource: *real(&a.resource), logicalID: a.logicalID, deployments: []*wire.Deployment{{DeploymentId: new("deployed")}}}
		for from, to := range map[*[]*resource]*[]*resource{
			&a.models: &made.models, &a.authorizers: &made.authorizers, &a.integrations: &made.integrations, &a.routes: &made.routes,
		} {
			for _, r := range *from {
				*to = append(*to, real(r))
			}
		}
		for _, s := range a.stages {
			made.stages = append(made.stages, &stage{resource: *real(&s.resource), deployment: "deployed"})
		}
		have.apis = append(have.apis, made)
	}
	for _, d := range want.domains {
		made := &domain{name: d.name, tags: d.tags}
		for i, m := range d.mappings {
			made.mappings = append(made.mappings, apiMapping{fmt.Sprint("map", i), m.key, known.text(m.api), m.stage})
		}
		have.domains = append(have.domains, made)
	}
	return have
}

func TestCompare(t *testing.T) {
	t.Parallel()
	redeployed := []string{"create Deployment", "update Stage prod: deploymentId"}
	tests := []struct {
		name   string
		change func(a *api, have *State) // of what the gateway has
		want   []string
	}{
		{"nothing", func(*api, *State) {}, nil},
		{"an integration like another, with its route", func(a *api, _ *State) {
			twin := *a.integrations[0]
			twin.id = "twin"
			a.integrations = append([]*resource{&twin}, a.integrations...)
		}, append([]string{"delete Integration MOCK"}, redeployed...)},
		{"a member that no update removes", func(a *api, _ *State) {
			a.integrations[0].properties["contentHandlingStrategy"] = "CONVERT_TO_TEXT"
		}, append([]string{
			"create Integration MOCK", "create IntegrationResponse $default of MOCK", "update Route hello: target", "delete Integration MOCK",
		}, redeployed...)},
		{"a member of a response that no update removes", func(a *api, _ *State) {
			a.integrations[0].children[0].properties["contentHandlingStrategy"] = "CONVERT_TO_TEXT"
		}, append([]string{"delete IntegrationResponse $default of MOCK", "create IntegrationResponse $default of MOCK"}, redeployed...)},
		{"no stage", func(a *api, _ *State) { a.stages = nil }, []string{"create Deployment", "create Stage prod", "create Stage auto"}},
		{"a stage on another deployment", func(a *api, _ *State) { a.stages[0].deployment = "other" }, redeployed},
		{"a stage whose tag was not written", func(a *api, _ *State) { delete(a.stages[0].tags, tagDeployed) }, redeployed},
		{"a stage of nobody, with a name that is wanted", func(a *api, _ *State) { delete(a.stages[1].tags, tagStack) }, []string{"update Stage auto: tags"}},
		{"tags of somebody else", func(a *api, _ *State) { a.tags["mine"] = "x" }, append([]string{"update Api Api: tags"}, redeployed...)},
		{"another API of the stack", func(_ *api, have *State) {
			have.apis = append(have.apis, &api{resource: resource{kind: apiKind, id: "old", tags: map[string]string{tagStack: "chat"}}, logicalID: "Old"})
		}, []string{"delete Api Old"}},
		{"a domain of somebody else", func(_ *api, have *State) { delete(have.domains[0].tags, tagStack) }, nil},
		{"a mapping in a domain of somebody else", func(a *api, have *State) {
			have.domains = append(have.domains, &domain{name: "other.example", mappings: []apiMapping{{"m", "x", a.id, "prod"}, {"n", "y", "foreign", "prod"}}})
		}, []string{"delete ApiMapping /x of other.example"}},
		{"access logs", func(a *api, _ *State) {
			a.stages[0].properties[accessLog] = map[string]any{"destinationArn": "arn", "format": "x"}
		}, []string{"update Stage prod: accessLogSettings"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := load(t, "chat", readFile(t, "rich.yaml"))
			have := asDeployed(want)
			tt.change(have.apis[0], have)
			p, err := Compare(want, have, "us-east-1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, lines(p)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPIsThatCannotBeToldApart(t *testing.T) {
	t.Parallel()
	want := load(t, "chat", readFile(t, "rich.yaml"))
	have := asDeployed(want)
	have.apis = append(have.apis, have.apis[0])
	if _, err := Compare(want, have, "us-east-1"); err == nil || !strings.Contains(err.Error(), "two APIs") {
		t.Errorf("Compare: %v", err)
	}
}

// TestAPIThatNamesAnother: the id of an API that is new gets into another's
// integration.
func TestAPIThatNamesAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := load(t, "pair", readFile(t, "pair.yaml"))
	s.apply(want)
	s.settled(want)
	have, err := Read(t.Context(), s.client, "pair")
	if err != nil {
		t.Fatal(err)
	}
	byName, err := byLogicalID(have)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := byName["First"].integrations[0].properties["integrationUri"], "http://"+byName["Second"].id+".example.com/"; got != want {
		t.Errorf("the integration leads to %v, want %s", got, want)
	}
}

func TestStackNames(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"chat": true, "chat-2": true, "": false, "2chat": false, "a b": false, strings.Repeat("a", 129): false} {
		if got := CheckStackName(name) == nil; got != ok {
			t.Errorf("%q can be the name of a stack: %v", name, got)
		}
	}
}
