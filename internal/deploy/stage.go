package deploy

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// keptDeployments is how many deployments that no stage uses are kept for an
// API, so that a stage can be pointed back at one.
const keptDeployments = 5

// Members of stages that are changed in another way than the others.
const (
	defaultSettings = "defaultRouteSettings"
	routeSettings   = "routeSettings"
	accessLog       = "accessLogSettings"
)

// settle makes the settings of a stage comparable: it adds to those for all
// routes the values that the gateway returns when nothing was set.
func settle(p properties) {
	given, _ := p[defaultSettings].(map[string]any)
	settled := map[string]any{"dataTraceEnabled": false, "detailedMetricsEnabled": false, "loggingLevel": "OFF"}
	for name, value := range given {
		settled[name] = value
	}
	p[defaultSettings] = settled
}

// stages plans the changes of the stages of an API, with a new deployment for
// those that do not have the API as it is wanted.
func (c *comparison) stages(s scope, want, have *api, changed bool) {
	existing := map[string]*stage{}
	for _, h := range have.stages {
		existing[h.name] = h
	}
	deploy := slices.ContainsFunc(want.stages, func(w *stage) bool {
		h := existing[w.name]
		return w.deployed && (changed || h == nil || !w.isOn(h))
	})
	id := reference(deploymentOf(want.id[1 : len(want.id)-1]))
	if deploy {
		change := &Change{Action: Create, Type: "Deployment", API: s.api}
		change.calls = []step{{call{Endpoint: wire.CreateDeployment.Endpoint, path: s.path, body: properties{}}, id, "deploymentId"}}
		c.add(change)
	}
	for _, w := range want.stages {
		h := existing[w.name]
		delete(existing, w.name)
		if h == nil {
			change := s.change(Create, &w.resource)
			body := withTags(c.plan.known.properties(w.properties), w.tags)
			if w.deployed {
				body["deploymentId"] = id
			}
			change.calls = []step{{call: call{Endpoint: w.create, path: s.path, body: body}}}
			c.add(change)
			continue
		}
		if change := c.stage(s, w, h, id, deploy && w.deployed); len(change.calls) > 0 {
			c.add(change)
		}
	}
	for _, h := range have.stages {
		switch {
		case existing[h.name] == nil:
		case h.tags[tagStack] != c.stack:
			c.note("the stage %s of %s is not of this stack, and stays", h.name, s.api)
		default:
			c.later(c.removal(s, &h.resource))
		}
	}
	if deploy {
		c.prune(s, want, have)
	}
}

// isOn reports whether a stage of the gateway has the deployment that its tag
// names, and this is one of the API as it is wanted.
func (w *stage) isOn(h *stage) bool {
	deployed := resolver{references.Compiled().FindString(w.tags[tagDeployed]): h.deployment}
	return h.deployment != "" && deployed.text(w.tags[tagDeployed]) == h.tags[tagDeployed]
}

// stage returns the change of an existing stage.
func (c *comparison) stage(s scope, w, h *stage, deployment string, repoint bool) *Change {
	change := s.change(Update, &w.resource)
	path := append(slices.Clip(s.path), h.name)
	wanted := c.plan.known.properties(w.properties)
	members, body := w.difference(wanted, h.properties)
	change.Members = members
	if slices.Contains(members, accessLog) && wanted[accessLog] == nil {
		change.calls = append(change.calls, step{call: call{Endpoint: wire.DeleteAccessLogSettings.Endpoint, path: path}})
		delete(body, accessLog)
	}
	if slices.Contains(members, defaultSettings) {
		body[defaultSettings] = changedSettings(wanted[defaultSettings], h.properties[defaultSettings])
	}
	if slices.Contains(members, routeSettings) {
		removals, changed := changedRouteSettings(path, wanted[routeSettings], h.properties[routeSettings])
		change.calls = append(change.calls, removals...)
		delete(body, routeSettings)
		if len(changed) > 0 {
			body[routeSettings] = changed
		}
	}
	if repoint {
		body["deploymentId"] = deployment
		change.Members = append(change.Members, "deploymentId")
	}
	if len(body) > 0 {
		change.calls = append(change.calls, step{call: call{Endpoint: w.update, path: path, body: body}})
	}
	tags := w.tags
	if w.deployed && !repoint {
		tags = resolver{deployment: h.deployment}.tags(tags)
	}
	c.retag(change, []string{"apis", s.path[0], "stages", h.name}, tags, h.tags)
	return change
}

// changedSettings returns the update that turns the settings for all routes
// into those that are wanted. A limit that is not wanted is set to 0, which
// means no limit.
func changedSettings(to, from any) map[string]any {
	wanted, _ := to.(map[string]any)
	had, _ := from.(map[string]any)
	changed := map[string]any{}
	for _, name := range namesOf(wanted, had) {
		value, given := wanted[name]
		switch {
		case !given:
			changed[name] = emptied(had[name])
		case value != had[name]:
			changed[name] = value
		}
	}
	return changed
}

// changedRouteSettings returns the calls and the update that turn the settings
// of routes into those that are wanted. Settings of which a member is removed
// are deleted first, and then made anew.
func changedRouteSettings(path []string, to, from any) (removals []step, changed map[string]any) {
	wanted, _ := to.(map[string]any)
	had, _ := from.(map[string]any)
	changed = map[string]any{}
	for _, key := range namesOf(wanted, had) {
		if reflect.DeepEqual(wanted[key], had[key]) {
			continue
		}
		_, keep := wanted[key]
		if keep {
			changed[key] = wanted[key]
		}
		if _, there := had[key]; there && (!keep || loses(wanted[key], had[key])) {
			removals = append(removals, step{call: call{Endpoint: wire.DeleteRouteSettings.Endpoint, path: append(slices.Clip(path), key)}})
		}
	}
	return removals, changed
}

// loses reports whether from has members that to is without.
func loses(to, from any) bool {
	wanted, _ := to.(map[string]any)
	had, _ := from.(map[string]any)
	return slices.ContainsFunc(namesOf(had), func(name string) bool { _, keep := wanted[name]; return !keep })
}

// prune plans to delete the oldest deployments that no stage uses, after all
// stages have been changed.
func (c *comparison) prune(s scope, want, have *api) {
	used := map[string]bool{}
	for _, h := range have.stages {
		repointed := slices.ContainsFunc(want.stages, func(w *stage) bool { return w.name == h.name && w.deployed })
		used[h.deployment] = used[h.deployment] || !repointed
	}
	unused := slices.DeleteFunc(slices.Clone(have.deployments), func(d *wire.Deployment) bool {
		return used[*d.DeploymentId] || d.AutoDeployed != nil && *d.AutoDeployed
	})
	slices.SortFunc(unused, func(a, b *wire.Deployment) int {
		return cmp.Or(created(b).Compare(created(a)), cmp.Compare(*a.DeploymentId, *b.DeploymentId))
	})
	for _, d := range unused[min(keptDeployments, len(unused)):] {
		c.later(&Change{
			Action: Delete, Type: "Deployment", API: s.api, Name: *d.DeploymentId,
			calls: []step{{call: call{Endpoint: wire.DeleteDeployment.Endpoint, path: append(slices.Clip(s.path), *d.DeploymentId)}}},
		})
	}
}

func created(d *wire.Deployment) (at time.Time) {
	if d.CreatedDate != nil {
		at = d.CreatedDate.Time
	}
	return at
}
