package deploy

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// apiKey is an API key. Its value is empty if the template has none: then the
// gateway makes one, and any value is right.
type apiKey struct {
	resource
	value string
}

func wantedKey(stack string, from *apigw.ApiKey, valueless bool) *apiKey {
	k := &apiKey{resource: resource{
		kind: apiKeyKind, id: reference(from.Id), name: cmp.Or(from.Name, from.Id),
		properties: keyProperties(&from.Name, &from.Description, &from.CustomerId, &from.Enabled),
		tags:       map[string]string{tagStack: stack, tagLogical: from.Id},
	}}
	if !valueless {
		k.value = from.Value
	}
	return k
}

// keyProperties are what can be changed of a key.
func keyProperties(name, description, customer *string, enabled *bool) properties {
	return apiKeyKind.propertiesOf(wirev1.CreateApiKeyRequest{Name: name, Description: description, CustomerId: customer, Enabled: enabled})
}

// keys reads the API keys of a stack.
func (r *reader) keys(stack string) ([]*apiKey, error) {
	found, err := listWith[wirev1.ApiKey](r.ctx, r.Client, call{Endpoint: wirev1.GetApiKeys.Endpoint, query: url.Values{"includeValues": {"true"}}})
	if err != nil {
		return nil, err
	}
	var keys []*apiKey
	for _, k := range found {
		if k.Tags[tagStack] != stack {
			continue
		}
		known, err := id(apiKeyKind.typ, k.Id)
		if err != nil {
			return nil, err
		}
		keys = append(keys, &apiKey{resource{
			kind: apiKeyKind, id: known, name: cmp.Or(text(k.Name), known), tags: k.Tags,
			properties: keyProperties(k.Name, k.Description, k.CustomerId, k.Enabled),
		}, text(k.Value)})
	}
	return keys, nil
}

// keys plans the changes of API keys. A key whose value changes is replaced,
// because a value cannot be changed.
func (c *comparison) keys(want, have *State) {
	rest := slices.Clone(have.keys)
	for _, w := range want.keys {
		i := slices.IndexFunc(rest, func(h *apiKey) bool {
			return h.tags[tagLogical] == w.tags[tagLogical] && (w.value == "" || w.value == h.value)
		})
		if i < 0 {
			body := withTags(c.plan.known.properties(w.properties), w.tags)
			if w.value != "" {
				body["value"] = w.value
			}
			change := scope{}.change(Create, &w.resource)
			change.calls = []step{{call{Endpoint: w.create, body: body}, w.id, w.idMember}}
			c.add(change)
			continue
		}
		h := rest[i]
		rest = slices.Delete(rest, i, i+1)
		c.plan.known[w.id] = h.id
		members, body := w.difference(w.properties, h.properties)
		if len(members) == 0 {
			continue
		}
		var patches []patch
		for _, name := range members {
			patches = append(patches, patch{"replace", "/" + name, patchText(body[name])})
		}
		c.add(patched(&w.resource, h.id, members, patches))
	}
	for _, h := range rest {
		c.later(c.removal(scope{}, &h.resource))
	}
}
