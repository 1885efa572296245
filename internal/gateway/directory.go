package gateway

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// directory says which stage a host and a path mean. It is immutable.
type directory struct {
	stages  map[stageKey]*stage
	byName  map[string]*stage // stage names that only one API has
	domains map[string][]Mapping
	// standard is the stage of paths that name none; nil: there is none.
	standard *Default
}

type stageKey struct{ apiID, name string }

func (d *directory) withStage(key stageKey, s *stage) *directory {
	next := &directory{stages: maps.Clone(d.stages), byName: make(map[string]*stage), domains: d.domains, standard: d.standard}
	if next.stages == nil {
		next.stages = make(map[stageKey]*stage)
	}
	if s == nil {
		delete(next.stages, key)
	} else {
		next.stages[key] = s
	}
	for k, s := range next.stages {
		if _, taken := next.byName[k.name]; taken {
			s = nil // ambiguous
		}
		next.byName[k.name] = s
	}
	return next
}

func (d *directory) withDomains(domains map[string][]Mapping) *directory {
	next := *d
	next.domains = domains
	return &next
}

// target is what a request's host and path mean.
type target struct {
	apiID string
	// stage is nil when the path names none that is deployed.
	stage *stage
	// domain is the custom domain that the client knows the API by; empty for
	// the default endpoint. Functions post messages back to it, so what a client
	// makes up must not get here.
	domain string
	// rest is the path below the stage, escaped, without a leading slash.
	rest string
	// named tells a request that cannot be for anything but an API.
	named bool
}

const localPrefix = "/_aws/execute-api/"

// find resolves a request in the order of the forms:
//
//	{apiId}.execute-api.{region}.amazonaws.com/{stage}
//	{custom domain}/{mapping key}, the domain's own before a wildcard
//	/_aws/execute-api/{apiId}/{stage}
//	/{stage}, where only one API has that stage
//	/, where there is a default stage
func (d *directory) find(hostport string, u *url.URL) target {
	host := hostname(hostport)
	path := u.EscapedPath()
	if apiID, rest, found := strings.Cut(host, "."); found && strings.HasPrefix(rest, "execute-api.") {
		t := d.under(apiID, path)
		if t.stage != nil && t.stage.plan.Load().DisableDefaultEndpoint {
			t.stage = nil
		}
		return t
	}
	if mappings, found := d.domain(host); found {
		return d.mapped(host, mappings, path)
	}
	if rest, found := strings.CutPrefix(path, localPrefix); found {
		apiID, rest, _ := strings.Cut(rest, "/")
		return d.under(apiID, "/"+rest)
	}
	name, rest := segment(path)
	t := target{rest: rest, stage: d.byName[name]}
	if t.stage != nil {
		t.apiID, t.named = t.stage.plan.Load().APIID, true
	}
	if _, management := cutManagement(rest); t.stage == nil || rest != "" && !management {
		if standard, found := d.byDefault(path); found {
			return standard
		}
	}
	return t
}

// apisWith gives the ids of the APIs that have a stage of a name, sorted.
func (d *directory) apisWith(name string) []string {
	var ids []string
	for key := range d.stages {
		if key.name == name {
			ids = append(ids, key.apiID)
		}
	}
	slices.Sort(ids)
	return ids
}

const noSuchStage = "no such stage"

// missing says in a few words why find has found no stage for a URL.
func (d *directory) missing(hostport string, u *url.URL, t target) string {
	name, _ := segment(u.EscapedPath())
	switch _, ambiguous := d.byName[name]; {
	case t.domain != "":
		return "no mapping of the custom domain leads from this path to a stage"
	case t.apiID == "" && ambiguous:
		return "several APIs have a stage of this name"
	case t.apiID == "":
		return noSuchStage
	}
	apiExists := false
	for key, s := range d.stages {
		if key.apiID != t.apiID {
			continue
		}
		apiExists = true
		if rest, _ := strings.CutPrefix(hostname(hostport), t.apiID+"."); key.name == name && strings.HasPrefix(rest, "execute-api.") && s.plan.Load().DisableDefaultEndpoint {
			return "the API's default endpoint is disabled"
		}
	}
	if !apiExists {
		return "no such API"
	}
	return noSuchStage
}

// domain gives the mappings of a host's custom domain: its own, or the wildcard
// for its first label.
func (d *directory) domain(host string) (mappings []Mapping, found bool) {
	if mappings, found = d.domains[host]; found || len(d.domains) == 0 {
		return mappings, found
	}
	_, parent, _ := strings.Cut(host, ".")
	mappings, found = d.domains["*."+parent]
	return mappings, found
}

// under resolves /{stage}/… of an API.
func (d *directory) under(apiID, path string) target {
	name, rest := segment(path)
	return target{apiID: apiID, stage: d.stages[stageKey{apiID, name}], rest: rest, named: true}
}

// mapped resolves a path of a custom domain: the mapping whose key has the
// most segments in common with it, or the one with the empty key.
func (d *directory) mapped(host string, mappings []Mapping, path string) target {
	t := target{domain: host, named: true}
	path = strings.Trim(path, "/")
	best := -1
	for _, m := range mappings {
		rest, found := strings.CutPrefix(path, m.Key)
		if !found || m.Key != "" && rest != "" && rest[0] != '/' || len(m.Key) <= best {
			continue
		}
		best = len(m.Key)
		t.apiID, t.stage = m.APIID, d.stages[stageKey{m.APIID, m.Stage}]
		t.rest = strings.TrimPrefix(rest, "/")
	}
	return t
}

// segment splits the first segment off a path, and a trailing slash.
func segment(path string) (first, rest string) {
	path = strings.TrimPrefix(path, "/")
	first, rest, _ = strings.Cut(path, "/")
	if name, err := url.PathUnescape(first); err == nil {
		first = name
	}
	return first, rest
}

// hostname is a Host header without its port, in lower case.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
