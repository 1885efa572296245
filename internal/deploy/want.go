package deploy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/model"
	"github.com/stagedoor/stagedoor/internal/template"
)

// Wanted returns the state that a template describes.
func Wanted(app *template.Application) *State {
	s := &State{stack: app.StackName, accountID: app.AccountID}
	ids := make([]string, len(app.APIs))
	for i, a := range app.APIs {
		ids[i] = a.API.ApiId
	}
	refer := referrer(ids)
	for _, a := range app.APIs {
		s.apis = append(s.apis, wantedAPI(app.StackName, a, refer))
	}
	for _, d := range app.Domains {
		s.domains = append(s.domains, wantedDomain(app.StackName, d))
	}
	for _, k := range app.ApiKeys {
		s.keys = append(s.keys, wantedKey(app.StackName, k, app.ValuelessKeys[k.Id]))
	}
	for _, p := range app.UsagePlans {
		s.plans = append(s.plans, wantedPlan(app, p, refer))
	}
	return s
}

// Nothing returns the empty state of a stack, for a stack that is to be
// deleted.
func Nothing(stack string) *State { return &State{stack: stack} }

// referrer returns a replacer that turns the ids of APIs of a template into
// references, anywhere in a text: a URI may have one in its host name.
func referrer(ids []string) *strings.Replacer {
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, reference(id))
	}
	return strings.NewReplacer(pairs...)
}

func wantedAPI(stack string, from *template.API, refer *strings.Replacer) *api {
	source := from.API
	a := &api{logicalID: from.LogicalID, resource: *wantedResource(apiKind, source.ApiId, from.LogicalID, convert[wire.Api](source), refer)}
	a.tags = referTags(source.Tags, refer)
	for _, m := range sortedModels(source.ApiId, source.Models) {
		a.models = append(a.models, wantedResource(modelKind, m.ModelId, m.Name, convert[wire.Model](m), refer))
	}
	for _, z := range source.Authorizers {
		a.authorizers = append(a.authorizers, wantedResource(authorizerKind, z.AuthorizerId, z.Name, convert[wire.Authorizer](z), refer))
	}
	for _, i := range source.Integrations {
		next := wantedResource(integrationKind, i.IntegrationId, integrationName(i), convert[wire.Integration](i), refer)
		if next.properties["integrationMethod"] == nil && i.Type().Calls == apigw.AWSBackend {
			next.properties["integrationMethod"] = "POST" // the gateway's default
		}
		for _, r := range i.IntegrationResponses {
			next.children = append(next.children, wantedResource(integrationResponseKind, r.IntegrationResponseId, r.IntegrationResponseKey, convert[wire.IntegrationResponse](r), refer))
		}
		a.integrations = append(a.integrations, next)
	}
	for _, r := range source.Routes {
		a.routes = append(a.routes, wantedRoute(r, refer))
	}
	fingerprint := a.fingerprint()
	for _, s := range from.Stages {
		a.stages = append(a.stages, wantedStage(stack, source.ApiId, s, fingerprint, refer))
	}
	own := map[string]string{tagStack: stack, tagLogical: from.LogicalID}
	maps.Copy(own, a.tags)
	a.tags = own
	return a
}

func wantedResource(k *kind, id, name string, structure any, refer *strings.Replacer) *resource {
	p := k.propertiesOf(structure)
	return &resource{
		kind: k, id: reference(id), name: name,
		properties: eachText(map[string]any(p), refer.Replace).(map[string]any),
	}
}

func wantedRoute(r *apigw.Route, refer *strings.Replacer) *resource {
	next := wantedResource(routeKind, r.RouteId, r.RouteKey, convert[wire.Route](r), refer)
	if integration, ok := strings.CutPrefix(r.Target, "integrations/"); ok {
		next.properties["target"] = "integrations/" + reference(integration)
	}
	delete(next.properties, "authorizerId")
	if r.AuthorizationType == "CUSTOM" { // routes with another type have no authorizer
		next.properties["authorizerId"] = reference(r.AuthorizerId)
	}
	for _, response := range r.RouteResponses {
		next.children = append(next.children, wantedResource(routeResponseKind, response.RouteResponseId, response.RouteResponseKey, convert[wire.RouteResponse](response), refer))
	}
	return next
}

func wantedStage(stack, apiID string, s *apigw.Stage, fingerprint string, refer *strings.Replacer) *stage {
	next := &stage{
		resource: *wantedResource(stageKind, apiID+"/"+s.StageName, s.StageName, convert[wire.Stage](s), refer),
		deployed: s.DeploymentId != "" && !s.AutoDeploys(),
	}
	settle(next.properties)
	next.tags = referTags(s.Tags, refer)
	next.tags[tagStack] = stack
	if next.deployed {
		next.tags[tagDeployed] = deployedTag(reference(deploymentOf(apiID)), fingerprint)
	}
	return next
}

// deploymentOf returns the reference id of the deployment that is made from an
// API of the template.
func deploymentOf(apiID string) string { return apiID + "/deployment" }

// deployedTag is the value of a stage's tag: the deployment on it, and its
// fingerprint.
func deployedTag(deployment, fingerprint string) string { return deployment + "/" + fingerprint }

func referTags(tags map[string]string, refer *strings.Replacer) map[string]string {
	out := make(map[string]string, len(tags))
	for key, value := range tags {
		out[key] = refer.Replace(value)
	}
	return out
}

func wantedDomain(stack string, from *apigw.DomainName) *domain {
	d := &domain{name: strings.ToLower(from.DomainName), tags: map[string]string{tagStack: stack}}
	for _, m := range from.ApiMappings {
		d.mappings = append(d.mappings, apiMapping{key: m.ApiMappingKey, api: reference(m.ApiId), stage: m.Stage})
	}
	return d
}

// sortedModels sorts models behind those that they refer to. Models that refer
// to each other in a circle keep their order.
func sortedModels(apiID string, models []*apigw.Model) []*apigw.Model {
	var sorted []*apigw.Model
	seen := map[string]bool{}
	var add func(m *apigw.Model)
	add = func(m *apigw.Model) {
		if seen[m.Name] {
			return
		}
		seen[m.Name] = true
		for _, other := range models {
			if other != m && model.Refers(apiID, m, other.Name) {
				add(other)
			}
		}
		sorted = append(sorted, m)
	}
	for _, m := range models {
		add(m)
	}
	return sorted
}

// maxName is the length of the longest name that is made up for an integration,
// in bytes.
const maxName = 72

// integrationName makes up a name for an integration, which has none, from its
// type and URI.
func integrationName(i *apigw.Integration) string {
	name := i.IntegrationType
	switch function, ok := apigw.FunctionOfURI(i.IntegrationUri); {
	case i.Type().Calls == apigw.NoBackend:
	case ok || apigw.IsFunctionARN(i.IntegrationUri):
		name += " " + apigw.QualifiedFunctionName(cmp.Or(function, i.IntegrationUri))
	default:
		name = strings.Join(strings.Fields(name+" "+i.IntegrationMethod+" "+i.IntegrationUri), " ")
	}
	if len(name) > maxName {
		name = strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	return name
}

// fingerprint is equal for two states of an API that are the same as far as a
// deployment of them is: all but stages.
func (a *api) fingerprint() string {
	type part struct {
		Type, Name string
		Properties properties
		Tags       map[string]string
		Parts      []part
	}
	var describe func(r *resource) part
	describe = func(r *resource) part {
		p := part{r.typ, r.name, r.properties, r.tags, nil}
		for _, child := range r.children {
			p.Parts = append(p.Parts, describe(child))
		}
		return p
	}
	whole := describe(&a.resource)
	for _, r := range slices.Concat(a.models, a.authorizers, a.integrations, a.routes) {
		whole.Parts = append(whole.Parts, describe(r))
	}
	text, err := json.Marshal(whole)
	if err != nil {
		panic(fmt.Sprintf("deploy: the properties of a template are not JSON: %v", err)) // they came from JSON
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
