package deploy

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/template"
)

// usagePlan is a usage plan with its stages and keys.
type usagePlan struct {
	resource
	stages map[string]any // limits by route key, by "{apiId}:{stage}"
	keys   []string       // ids
}

// planStages is the member with the stages of a plan.
const planStages = "apiStages"

func newUsagePlan(r resource) *usagePlan {
	p := &usagePlan{resource: r, stages: map[string]any{}}
	stages, _ := r.properties[planStages].([]any)
	for _, item := range stages {
		stage, _ := item.(map[string]any)
		p.stages[fmt.Sprint(stage["apiId"], ":", stage["stage"])] = withoutEmpty(stage["throttle"])
	}
	delete(r.properties, planStages)
	for _, name := range []string{"quota", "throttle"} {
		if limits := withoutEmpty(r.properties[name]); len(limits) > 0 {
			r.properties[name] = limits
		} else {
			delete(r.properties, name)
		}
	}
	return p
}

// withoutEmpty returns a copy of an object without empty members, at any depth.
func withoutEmpty(value any) map[string]any {
	object, _ := value.(map[string]any)
	out := make(map[string]any, len(object))
	for name, member := range object {
		if _, inner := member.(map[string]any); inner {
			member = withoutEmpty(member)
		}
		if !isEmpty(member) {
			out[name] = member
		}
	}
	return out
}

func wantedPlan(app *template.Application, from *apigw.UsagePlan, refer *strings.Replacer) *usagePlan {
	named := *from
	if named.Name == "" {
		named.Name = app.StackName + "-" + from.Id
	}
	p := newUsagePlan(*wantedResource(usagePlanKind, from.Id, named.Name, convert[wirev1.UsagePlan](&named), refer))
	p.tags = map[string]string{tagStack: app.StackName, tagLogical: from.Id}
	for _, id := range from.KeyIds {
		if slices.ContainsFunc(app.ApiKeys, func(k *apigw.ApiKey) bool { return k.Id == id }) {
			id = reference(id)
		}
		p.keys = append(p.keys, id)
	}
	return p
}

// plans reads the usage plans of a stack.
func (r *reader) plans(stack string) ([]*usagePlan, error) {
	found, err := list[wirev1.UsagePlan](r.ctx, r.Client, wirev1.GetUsagePlans.Endpoint)
	if err != nil {
		return nil, err
	}
	var plans []*usagePlan
	for _, p := range found {
		if p.Tags[tagStack] != stack {
			continue
		}
		next, err := readResource(usagePlanKind, p.Id, p.Name, p)
		if err != nil {
			return nil, err
		}
		next.tags = p.Tags
		plan := newUsagePlan(*next)
		keys, err := list[wirev1.UsagePlanKey](r.ctx, r.Client, wirev1.GetUsagePlanKeys.Endpoint, plan.id)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			known, err := id("UsagePlanKey", k.Id)
			if err != nil {
				return nil, err
			}
			plan.keys = append(plan.keys, known)
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// plans plans the changes of usage plans. A key can be in only one plan for a
// stage, so keys and stages are removed from plans before they are added to
// others.
func (c *comparison) plans(want, have *State) {
	existing := map[string]*usagePlan{}
	for _, h := range have.plans {
		existing[h.tags[tagLogical]] = h
	}
	names := map[string]string{}
	for _, k := range want.keys {
		names[c.plan.known.text(k.id)] = k.name
	}
	for _, k := range have.keys {
		names[k.id] = k.name
	}
	var grants, updates []*Change
	for _, w := range want.plans {
		h := existing[w.tags[tagLogical]]
		delete(existing, w.tags[tagLogical])
		if h == nil {
			updates = append(updates, c.createPlan(w))
			h = &usagePlan{resource: resource{kind: usagePlanKind, id: w.id}}
		} else {
			c.plan.known[w.id] = h.id
			if change := c.changePlan(w, h); change != nil {
				updates = append(updates, change)
			}
		}
		grants = append(grants, c.planKeys(w, h, names)...)
	}
	for _, h := range have.plans {
		if existing[h.tags[tagLogical]] == h {
			c.add(c.removePlan(h))
		}
	}
	slices.SortStableFunc(updates, changesFirst)
	c.add(updates...)
	c.add(grants...)
}

// changesFirst sorts changes before creations: a plan may be created with a
// stage or a key that is still in another one.
func changesFirst(a, b *Change) int {
	rank := map[Action]int{Create: 1}
	return rank[a.Action] - rank[b.Action]
}

func (c *comparison) createPlan(w *usagePlan) *Change {
	body := withTags(c.plan.known.properties(w.properties), w.tags)
	var stages []any
	for _, name := range namesOf(w.stages) {
		apiID, stage, _ := strings.Cut(name, ":")
		stages = append(stages, map[string]any{"apiId": c.plan.known.text(apiID), "stage": stage, "throttle": w.stages[name]})
	}
	if len(stages) > 0 {
		body[planStages] = stages
	}
	change := scope{}.change(Create, &w.resource)
	change.calls = []step{{call{Endpoint: w.create, body: body}, w.id, w.idMember}}
	return change
}

// changePlan returns the change of a plan, nil if there is none.
func (c *comparison) changePlan(w, h *usagePlan) *Change {
	wanted := map[string]any{}
	for name, limits := range w.stages {
		wanted[c.plan.known.text(name)] = limits
	}
	var lets, patches []patch
	members, body := w.difference(w.properties, h.properties)
	for _, name := range members {
		patches = append(patches, memberPatches(name, body[name])...)
	}
	for _, name := range namesOf(wanted, h.stages) {
		limits, keep := wanted[name]
		had, there := h.stages[name]
		switch {
		case !keep:
			lets = append(lets, patch{"remove", "/" + planStages, name})
		case !there:
			patches = append(patches, patch{"add", "/" + planStages, name})
			patches = append(patches, limitPatches(name, limits)...)
		case !reflect.DeepEqual(limits, had):
			patches = append(patches, patch{"remove", "/" + planStages + "/" + escape(name) + "/throttle", ""})
			patches = append(patches, limitPatches(name, limits)...)
		}
	}
	if !maps.EqualFunc(wanted, h.stages, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		members = append(members, planStages)
	}
	if len(lets)+len(patches) == 0 {
		return nil
	}
	return patched(&w.resource, h.id, members, append(lets, patches...))
}

// memberPatches replace a member of a plan, or remove it.
func memberPatches(name string, value any) (patches []patch) {
	limits, isObject := value.(map[string]any)
	switch {
	case !isObject:
		return []patch{{"replace", "/" + name, patchText(value)}}
	case len(limits) == 0:
		return []patch{{"remove", "/" + name, ""}}
	}
	patches = append(patches, patch{"remove", "/" + name, ""})
	for _, limit := range namesOf(limits) {
		patches = append(patches, patch{"replace", "/" + name + "/" + limit, patchText(limits[limit])})
	}
	return patches
}

// limitPatches set the limits of the routes of a stage.
func limitPatches(stage string, limits any) (patches []patch) {
	routes, _ := limits.(map[string]any)
	for _, key := range namesOf(routes) {
		of, _ := routes[key].(map[string]any)
		for _, limit := range namesOf(of) {
			patches = append(patches, patch{"replace", "/" + planStages + "/" + escape(stage) + "/throttle/" + escape(key) + "/" + limit, patchText(of[limit])})
		}
	}
	return patches
}

// planKeys plans the changes of a plan's keys. Removals are added to the plan
// at once; additions are returned. names are the names of keys by their ids.
func (c *comparison) planKeys(w, h *usagePlan, names map[string]string) (grants []*Change) {
	var wanted []string
	for _, key := range w.keys {
		id := c.plan.known.text(key)
		wanted = append(wanted, id)
		if !slices.Contains(h.keys, id) {
			grants = append(grants, planKey(Create, cmp.Or(names[id], id), w.name, call{
				Endpoint: wirev1.CreateUsagePlanKey.Endpoint, path: []string{c.plan.known.text(w.id)},
				body: properties{"keyId": id, "keyType": "API_KEY"},
			}))
		}
	}
	for _, id := range h.keys {
		if !slices.Contains(wanted, id) {
			c.add(planKey(Delete, cmp.Or(names[id], id), w.name, call{Endpoint: wirev1.DeleteUsagePlanKey.Endpoint, path: []string{h.id, id}}))
		}
	}
	return grants
}

func planKey(action Action, name, plan string, do call) *Change {
	return &Change{Action: action, Type: "UsagePlanKey", Name: name, Of: plan, calls: []step{{call: do}}}
}

// removePlan removes the stages from a plan, because it cannot be deleted with
// any, and deletes it.
func (c *comparison) removePlan(h *usagePlan) *Change {
	change := c.removal(scope{}, &h.resource)
	if len(h.stages) == 0 {
		return change
	}
	var patches []patch
	for _, name := range namesOf(h.stages) {
		patches = append(patches, patch{"remove", "/" + planStages, name})
	}
	change.calls = append(patched(&h.resource, h.id, nil, patches).calls, change.calls...)
	return change
}

// patch is an operation of an update in API Gateway v1.
type patch struct{ op, path, value string }

// patched returns an update by patch operations.
func patched(r *resource, id string, members []string, patches []patch) *Change {
	change := scope{}.change(Update, r)
	change.Members = members
	var operations []any
	for _, p := range patches {
		operation := map[string]any{"op": p.op, "path": p.path}
		if p.value != "" || p.op == "replace" {
			operation["value"] = p.value
		}
		operations = append(operations, operation)
	}
	change.calls = []step{{call: call{Endpoint: r.update, path: []string{id}, body: properties{"patchOperations": operations}}}}
	return change
}

// patchText is a value as the text that a patch operation has.
func patchText(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// escape makes a text one segment of a patch's path, as in JSON Pointers.
func escape(segment string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(segment)
}
