package deploy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// comparison makes a plan.
type comparison struct {
	plan   *Plan
	stack  string
	region string
	late   []*Change // deletions that come last, when nothing refers to the resources any more
}

// Compare returns the plan that turns the state of a stack in a gateway, in a
// region, into the wanted one. It returns an error if two APIs of the gateway
// have the same logical id, or if another stack has a domain name or mapping
// that is wanted.
func Compare(want, have *State, region string) (*Plan, error) {
	c := &comparison{plan: &Plan{known: resolver{}}, stack: want.stack, region: region}
	existing, err := byLogicalID(have)
	if err != nil {
		return nil, err
	}
	c.account(want, have)
	for _, w := range want.apis {
		if h := existing[w.logicalID]; h != nil {
			c.plan.known[w.id] = h.id
		}
	}
	for _, w := range want.apis { // all of them before their parts, which may name another API
		c.api(w, existing[w.logicalID])
	}
	for _, w := range want.apis {
		c.content(w, existing[w.logicalID])
		delete(existing, w.logicalID)
	}
	if err := c.domains(want, have); err != nil {
		return nil, err
	}
	c.keys(want, have)
	c.plans(want, have)
	for _, what := range have.hidden {
		c.note("the gateway does not show its %s: what the stack has of them stays as it is", what)
	}
	for _, h := range have.apis {
		if existing[h.logicalID] != nil {
			c.later(c.removal(scope{api: h.logicalID}, &h.resource))
		}
	}
	c.plan.Changes = append(c.plan.Changes, c.late...)
	return c.plan, nil
}

func byLogicalID(have *State) (map[string]*api, error) {
	apis := make(map[string]*api, len(have.apis))
	for _, h := range have.apis {
		if other := apis[h.logicalID]; other != nil {
			return nil, fmt.Errorf("the gateway has two APIs that are %q of the stack %s, %s and %s: delete one of them, or its tags %s and %s",
				h.logicalID, have.stack, other.id, h.id, tagStack, tagLogical)
		}
		apis[h.logicalID] = h
	}
	return apis, nil
}

func (c *comparison) add(changes ...*Change)   { c.plan.Changes = append(c.plan.Changes, changes...) }
func (c *comparison) later(changes ...*Change) { c.late = append(c.late, changes...) }
func (c *comparison) note(format string, args ...any) {
	c.plan.Notes = append(c.plan.Notes, fmt.Sprintf(format, args...))
}

// scope is the place of a resource: its API, the resource that it is part of,
// and the parameters of paths up to it.
type scope struct {
	api, of string
	path    []string
}

// within returns the scope of the parts of a resource.
func (s scope) within(r *resource, id string) scope {
	return scope{s.api, r.name, append(slices.Clip(s.path), id)}
}

func (s scope) change(action Action, r *resource) *Change {
	name := r.name
	if r.kind == apiKind {
		name = s.api
	}
	return &Change{Action: action, Type: r.typ, API: s.api, Name: name, Of: s.of}
}

// api plans to create or change an API, without its parts.
func (c *comparison) api(want, have *api) {
	s := scope{api: want.logicalID}
	if have == nil {
		change := s.change(Create, &want.resource)
		body := withTags(c.plan.known.properties(want.properties), want.tags)
		change.calls = []step{{call{Endpoint: want.create, body: body}, want.id, want.idMember}}
		c.add(change)
		return
	}
	change := c.update(s, &want.resource, &have.resource)
	c.retag(change, []string{"apis", have.id}, want.tags, have.tags)
	if len(change.calls) > 0 {
		c.add(change)
	}
}

// withTags adds tags to the body of a request that creates something.
func withTags(body properties, tags map[string]string) properties {
	all := make(map[string]any, len(tags))
	for key, value := range tags {
		all[key] = value
	}
	body["tags"] = all
	return body
}

// retag adds the calls that change the tags of the resource at a path to a
// change, after its other calls.
func (c *comparison) retag(change *Change, path []string, want, have map[string]string) {
	want = c.plan.known.tags(want)
	set, unset := properties{}, []string(nil)
	for _, key := range namesOf(want, have) {
		value, wanted := want[key]
		_, there := have[key]
		switch {
		case !wanted:
			unset = append(unset, key)
		case !there || value != have[key]:
			set[key] = value
		}
	}
	arn := "arn:" + apigw.Partition(c.region) + ":apigateway:" + c.region + "::"
	for _, step := range path {
		arn += "/" + step
	}
	if len(set) > 0 {
		change.calls = append(change.calls, step{call: call{Endpoint: wire.TagResource.Endpoint, path: []string{arn}, body: properties{"tags": map[string]any(maps.Clone(set))}}})
	}
	if len(unset) > 0 {
		change.calls = append(change.calls, step{call: call{Endpoint: wire.UntagResource.Endpoint, path: []string{arn}, query: map[string][]string{"tagKeys": unset}}})
	}
	delete(set, tagDeployed) // changes together with another member, which is reported
	if len(set)+len(unset) > 0 {
		change.Members = append(change.Members, "tags")
	}
}

// content plans the changes of the parts of an API. have is nil for a new one.
func (c *comparison) content(want, have *api) {
	before := len(c.plan.Changes)
	if have == nil {
		have = new(api)
	}
	s := scope{api: want.logicalID, path: []string{c.plan.known.text(want.id)}}
	models := c.sync(s, want.models, have.models, sameName)
	authorizers := c.sync(s, want.authorizers, have.authorizers, c.equal, sameName)
	integrations := c.sync(s, want.integrations, have.integrations, c.integrationPasses(want, have)...)
	c.add(c.sync(s, want.routes, have.routes, sameName)...)
	c.add(integrations...)
	c.add(authorizers...)
	slices.Reverse(models) // those that refer to others go first
	c.add(models...)

	changed := len(c.plan.Changes) > before || slices.ContainsFunc(c.plan.Changes, func(change *Change) bool {
		return change.API == want.logicalID && change.Type == apiKind.typ
	})
	c.stages(s, want, have, changed)
}

// pass reports whether an existing resource is to become a wanted one.
type pass func(want, have *resource) bool

func sameName(want, have *resource) bool { return want.name == have.name }

// equal reports whether a resource is as it is wanted, with all of its parts.
func (c *comparison) equal(want, have *resource) bool {
	members, _ := want.difference(c.plan.known.properties(want.properties), have.properties)
	if len(members) > 0 || len(want.children) != len(have.children) {
		return false
	}
	for _, child := range want.children {
		i := slices.IndexFunc(have.children, func(h *resource) bool { return sameName(child, h) })
		if i < 0 || !c.equal(child, have.children[i]) {
			return false
		}
	}
	return true
}

// integrationPasses returns the passes that recognise integrations, which have
// no names: first one that is as wanted and has the same routes, then one that
// is as wanted, then one that has the same route.
func (c *comparison) integrationPasses(want, have *api) []pass {
	ledTo := func(routes []*resource) map[string][]string {
		keys := map[string][]string{}
		for _, route := range routes {
			target, _ := route.properties["target"].(string)
			keys[target] = append(keys[target], route.name)
		}
		return keys
	}
	wanted, had := ledTo(want.routes), ledTo(have.routes)
	sameRoute := func(w, h *resource) bool {
		return slices.ContainsFunc(wanted["integrations/"+w.id], func(key string) bool {
			return slices.Contains(had["integrations/"+h.id], key)
		})
	}
	return []pass{
		func(w, h *resource) bool { return sameRoute(w, h) && c.equal(w, h) },
		c.equal,
		sameRoute,
	}
}

// match finds for each wanted resource the existing one that is to become it,
// or nil. rest are the others. Each pass goes through all resources before the
// next one does.
func (c *comparison) match(want, have []*resource, passes []pass) (found map[*resource]*resource, rest []*resource) {
	found = make(map[*resource]*resource, len(want))
	rest = slices.Clone(have)
	for _, matches := range passes {
		for _, w := range want {
			if found[w] != nil {
				continue
			}
			i := slices.IndexFunc(rest, func(h *resource) bool { return !w.keeps(w.properties, h.properties) && matches(w, h) })
			if i >= 0 {
				found[w] = rest[i]
				rest = slices.Delete(rest, i, i+1)
			}
		}
	}
	return found, rest
}

// sync plans to create and change resources of one kind, with their parts. It
// returns the removals of those that are not wanted.
func (c *comparison) sync(s scope, want, have []*resource, passes ...pass) (removals []*Change) {
	found, rest := c.match(want, have, passes)
	for w, h := range found {
		c.plan.known[w.id] = h.id
	}
	for _, w := range want {
		h := found[w]
		if h == nil {
			c.add(c.creation(s, w))
			h = &resource{kind: w.kind, id: w.id}
		} else if change := c.update(s, w, h); len(change.calls) > 0 {
			c.add(change)
		}
		c.parts(s.within(w, h.id), w.children, h.children)
	}
	for _, h := range rest {
		removals = append(removals, c.removal(s, h))
	}
	return removals
}

// parts plans the changes of the responses of a route or an integration.
// Removals come first, because a new one may have the same key.
func (c *comparison) parts(s scope, want, have []*resource) {
	_, rest := c.match(want, have, []pass{sameName})
	for _, h := range rest {
		c.add(c.removal(s, h))
	}
	kept := slices.DeleteFunc(slices.Clone(have), func(h *resource) bool { return slices.Contains(rest, h) })
	c.sync(s, want, kept, sameName)
}

func (c *comparison) creation(s scope, w *resource) *Change {
	change := s.change(Create, w)
	change.calls = []step{{call{Endpoint: w.create, path: s.path, body: c.plan.known.properties(w.properties)}, w.id, w.idMember}}
	return change
}

func (c *comparison) removal(s scope, h *resource) *Change {
	change := s.change(Delete, h)
	change.calls = []step{{call: call{Endpoint: h.remove, path: append(slices.Clip(s.path), h.id)}}}
	return change
}

// update returns the change that turns the resource h into the wanted one,
// without calls if it is that already. Entries that an update cannot remove are
// removed by an operation of their own.
func (c *comparison) update(s scope, w, h *resource) *Change {
	change := s.change(Update, w)
	path := append(slices.Clip(s.path), h.id)
	members, body := w.difference(c.plan.known.properties(w.properties), h.properties)
	change.Members = members
	if w.kind == routeKind {
		change.calls = append(change.calls, parameterRemovals(path, body, h)...)
	}
	if len(body) > 0 {
		change.calls = append(change.calls, step{call: call{Endpoint: w.update, path: path, body: body}})
	}
	return change
}

// parameterRemovals returns the calls that remove the request parameters that a
// route is not to have any more: an update of the route would leave them.
func parameterRemovals(path []string, body properties, have *resource) (calls []step) {
	wanted, changed := body["requestParameters"].(map[string]any)
	if !changed {
		return nil
	}
	had, _ := have.properties["requestParameters"].(map[string]any)
	for _, key := range namesOf(had) {
		if _, keep := wanted[key]; !keep {
			calls = append(calls, step{call: call{Endpoint: wire.DeleteRouteRequestParameter.Endpoint, path: append(slices.Clip(path), key)}})
		}
	}
	if len(wanted) == 0 {
		delete(body, "requestParameters")
	}
	return calls
}
