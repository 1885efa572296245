package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// reader reads the state of a stack from a gateway.
type reader struct {
	*Client
	ctx context.Context
}

// Read returns the state of a stack in a gateway: its APIs, and all domain
// names, because any of them may have a mapping to one of these.
func Read(ctx context.Context, c *Client, stack string) (*State, error) {
	r := &reader{c, ctx}
	all, err := list[wire.Api](ctx, c, wire.GetApis.Endpoint)
	if err != nil {
		return nil, err
	}
	s := &State{stack: stack}
	for _, found := range all {
		if found.Tags[tagStack] != stack {
			continue
		}
		a, err := r.api(found)
		if err != nil {
			return nil, err
		}
		s.apis = append(s.apis, a)
	}
	if s.account, err = r.account(); err != nil {
		return nil, err
	}
	if s.domains, err = r.domains(); !s.mayHide(err, "domain names") {
		return nil, err
	}
	if s.keys, err = r.keys(stack); !s.mayHide(err, "API keys") {
		return nil, err
	}
	if s.plans, err = r.plans(stack); !s.mayHide(err, "usage plans") {
		return nil, err
	}
	return s, nil
}

// mayHide reports whether an error means that the credentials do not allow
// reading a kind of resource, and notes that kind: a deployment may be limited
// to APIs.
func (s *State) mayHide(err error, what string) bool {
	var refused *apigw.Error
	if errors.As(err, &refused) && refused.Type == "AccessDeniedException" {
		s.hidden = append(s.hidden, what)
		return true
	}
	return err == nil
}

// ids matches the ids of a gateway. Any other text in its answers must not get
// into the paths of requests.
var ids = lazyregexp.New(`^[A-Za-z0-9_.*$-]{1,255}$`)

// id returns an id of an answer, or an error if it is missing or not valid.
func id(k string, given *string) (string, error) {
	if given == nil || !ids.MatchString(*given) {
		return "", fmt.Errorf("the gateway answered with a %s that has no id", k)
	}
	return *given, nil
}

// text returns a text of an answer, "" if it is missing.
func text(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}

// readResource makes a resource from an answer.
func readResource(k *kind, given, name *string, structure any) (*resource, error) {
	known, err := id(k.typ, given)
	if err != nil {
		return nil, err
	}
	return &resource{kind: k, id: known, name: text(name), properties: k.propertiesOf(structure)}, nil
}

func (r *reader) api(found *wire.Api) (*api, error) {
	own, err := readResource(apiKind, found.ApiId, found.Name, found)
	if err != nil {
		return nil, err
	}
	a := &api{resource: *own, logicalID: found.Tags[tagLogical], endpoint: text(found.ApiEndpoint)}
	a.tags = found.Tags
	a.name = a.logicalID
	for _, read := range []func(*api) error{r.models, r.authorizers, r.integrations, r.routes, r.stages} {
		if err := read(a); err != nil {
			return nil, err
		}
	}
	a.deployments, err = list[wire.Deployment](r.ctx, r.Client, wire.GetDeployments.Endpoint, a.id)
	if err != nil {
		return nil, err
	}
	for _, d := range a.deployments {
		if _, err := id("Deployment", d.DeploymentId); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (r *reader) models(a *api) error {
	found, err := list[wire.Model](r.ctx, r.Client, wire.GetModels.Endpoint, a.id)
	if err != nil {
		return err
	}
	models := make([]*apigw.Model, len(found))
	for i, m := range found {
		models[i] = new(convert[apigw.Model](m))
	}
	for _, m := range sortedModels(a.id, models) {
		next, err := readResource(modelKind, &m.ModelId, &m.Name, convert[wire.Model](m))
		if err != nil {
			return err
		}
		a.models = append(a.models, next)
	}
	return nil
}

func (r *reader) authorizers(a *api) error {
	found, err := list[wire.Authorizer](r.ctx, r.Client, wire.GetAuthorizers.Endpoint, a.id)
	for _, z := range found {
		next, err := readResource(authorizerKind, z.AuthorizerId, z.Name, z)
		if err != nil {
			return err
		}
		a.authorizers = append(a.authorizers, next)
	}
	return err
}

func (r *reader) integrations(a *api) error {
	found, err := list[wire.Integration](r.ctx, r.Client, wire.GetIntegrations.Endpoint, a.id)
	if err != nil {
		return err
	}
	for _, i := range found {
		named := convert[apigw.Integration](i)
		next, err := readResource(integrationKind, i.IntegrationId, new(integrationName(&named)), i)
		if err != nil {
			return err
		}
		a.integrations = append(a.integrations, next)
	}
	return each(a.integrations, func(integration *resource) error {
		found, err := list[wire.IntegrationResponse](r.ctx, r.Client, wire.GetIntegrationResponses.Endpoint, a.id, integration.id)
		for _, response := range found {
			next, err := readResource(integrationResponseKind, response.IntegrationResponseId, response.IntegrationResponseKey, response)
			if err != nil {
				return err
			}
			integration.children = append(integration.children, next)
		}
		return err
	})
}

func (r *reader) routes(a *api) error {
	found, err := list[wire.Route](r.ctx, r.Client, wire.GetRoutes.Endpoint, a.id)
	if err != nil {
		return err
	}
	for _, route := range found {
		next, err := readResource(routeKind, route.RouteId, route.RouteKey, route)
		if err != nil {
			return err
		}
		a.routes = append(a.routes, next)
	}
	return each(a.routes, func(route *resource) error {
		found, err := list[wire.RouteResponse](r.ctx, r.Client, wire.GetRouteResponses.Endpoint, a.id, route.id)
		for _, response := range found {
			next, err := readResource(routeResponseKind, response.RouteResponseId, response.RouteResponseKey, response)
			if err != nil {
				return err
			}
			route.children = append(route.children, next)
		}
		return err
	})
}

func (r *reader) stages(a *api) error {
	found, err := list[wire.Stage](r.ctx, r.Client, wire.GetStages.Endpoint, a.id)
	for _, s := range found {
		next, err := readResource(stageKind, s.StageName, s.StageName, s)
		if err != nil {
			return err
		}
		settle(next.properties)
		next.tags = s.Tags
		a.stages = append(a.stages, &stage{resource: *next, deployment: text(s.DeploymentId)})
	}
	return err
}

func (r *reader) domains() ([]*domain, error) {
	found, err := list[wire.DomainName](r.ctx, r.Client, wire.GetDomainNames.Endpoint)
	if err != nil {
		return nil, err
	}
	var domains []*domain
	for _, d := range found {
		name, err := id("DomainName", d.DomainName)
		if err != nil {
			return nil, err
		}
		domains = append(domains, &domain{name: strings.ToLower(name), tags: d.Tags})
	}
	return domains, each(domains, func(d *domain) error {
		found, err := list[wire.ApiMapping](r.ctx, r.Client, wire.GetApiMappings.Endpoint, d.name)
		for _, m := range found {
			known, err := id("ApiMapping", m.ApiMappingId)
			if err != nil {
				return err
			}
			d.mappings = append(d.mappings, apiMapping{known, text(m.ApiMappingKey), text(m.ApiId), text(m.Stage)})
		}
		return err
	})
}

// atOnce is how many requests are under way at a time.
const atOnce = 8

// each calls do for every item, several at a time. It returns one of the
// errors.
func each[T any](items []T, do func(T) error) error {
	errs := make([]error, len(items))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, item := range items {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = do(item)
			<-slots
		})
	}
	all.Wait()
	i := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if i < 0 {
		return nil
	}
	return errs[i]
}
