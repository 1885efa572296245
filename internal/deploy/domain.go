package deploy

import (
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// domains plans the changes of custom domain names and their mappings. A domain
// that another stack made may have mappings of this one.
func (c *comparison) domains(want, have *State) error {
	ours := map[string]bool{}
	for _, h := range have.apis {
		ours[h.id] = true
	}
	existing := map[string]*domain{}
	for _, h := range have.domains {
		existing[h.name] = h
	}
	for _, w := range want.domains {
		h := existing[w.name]
		delete(existing, w.name)
		if h == nil {
			c.createDomain(w)
			h = new(domain)
		}
		if err := c.mappings(w, h, ours); err != nil {
			return err
		}
	}
	for _, h := range have.domains {
		if existing[h.name] != nil {
			c.leave(h, ours, h.tags[tagStack] == c.stack)
		}
	}
	return nil
}

func (c *comparison) createDomain(w *domain) {
	body := withTags(properties{
		"domainName":               w.name,
		"domainNameConfigurations": []any{map[string]any{"endpointType": "REGIONAL"}},
	}, w.tags)
	c.add(&Change{
		Action: Create, Type: "DomainName", Name: w.name,
		calls: []step{{call: call{Endpoint: wire.CreateDomainName.Endpoint, body: body}}},
	})
}

// mappings plans the changes of a domain's mappings to APIs of the stack.
func (c *comparison) mappings(w, h *domain, ours map[string]bool) error {
	for _, m := range w.mappings {
		body := properties{"apiId": c.plan.known.text(m.api), "stage": m.stage}
		i := slices.IndexFunc(h.mappings, func(there apiMapping) bool { return there.key == m.key })
		if i < 0 {
			if m.key != "" {
				body["apiMappingKey"] = m.key
			}
			c.add(mappingChange(Create, w.name, m.key, call{Endpoint: wire.CreateApiMapping.Endpoint, path: []string{w.name}, body: body}))
			continue
		}
		there := h.mappings[i]
		switch {
		case !ours[there.api]:
			return fmt.Errorf("the domain name %s maps %s to the API %s, which is not of this stack", w.name, mappingName(m.key), there.api)
		case there.api != body["apiId"] || there.stage != m.stage:
			change := mappingChange(Update, w.name, m.key, call{Endpoint: wire.UpdateApiMapping.Endpoint, path: []string{w.name, there.id}, body: body})
			change.Members = []string{"apiId", "stage"}
			c.add(change)
		}
	}
	for _, there := range h.mappings {
		wanted := slices.ContainsFunc(w.mappings, func(m apiMapping) bool { return m.key == there.key })
		if !wanted && ours[there.api] {
			c.add(removeMapping(w.name, there))
		}
	}
	return nil
}

// leave plans to remove the stack's mappings from a domain that is not wanted,
// and the domain itself if the stack made it and no other mapping is left.
func (c *comparison) leave(h *domain, ours map[string]bool, made bool) {
	others := false
	for _, there := range h.mappings {
		if ours[there.api] {
			c.add(removeMapping(h.name, there))
		} else {
			others = true
		}
	}
	switch {
	case made && others:
		c.note("the domain name %s stays: it has mappings to APIs that are not of this stack", h.name)
	case made:
		c.add(&Change{
			Action: Delete, Type: "DomainName", Name: h.name,
			calls: []step{{call: call{Endpoint: wire.DeleteDomainName.Endpoint, path: []string{h.name}}}},
		})
	}
}

func removeMapping(domain string, m apiMapping) *Change {
	return mappingChange(Delete, domain, m.key, call{Endpoint: wire.DeleteApiMapping.Endpoint, path: []string{domain, m.id}})
}

func mappingChange(action Action, domain, key string, do call) *Change {
	return &Change{Action: action, Type: "ApiMapping", Name: mappingName(key), Of: domain, calls: []step{{call: do}}}
}

// mappingName is the key of a mapping as a path.
func mappingName(key string) string { return "/" + key }
