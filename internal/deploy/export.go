package deploy

import (
	"context"
	"net/url"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
)

// Exported is an API of a gateway, as it is now.
type Exported struct {
	API    *apigw.API
	Stages []*apigw.Stage
	Keys   []*apigw.ApiKey
	Plans  []*apigw.UsagePlan
	// Hidden are the kinds of resources that the credentials do not allow to be read.
	Hidden []string
}

// Export reads an API of a gateway, with all that decides what becomes of its events.
func Export(ctx context.Context, c *Client, apiID string) (*Exported, error) {
	r := &reader{c, ctx}
	var found wire.Api
	if err := c.do(ctx, &call{Endpoint: wire.GetApi.Endpoint, path: []string{apiID}}, &found); err != nil {
		return nil, err
	}
	api := convert[apigw.API](found)
	e := &Exported{API: &api}
	for _, read := range []func(*Exported) error{r.exportParts, r.exportIntegrations, r.exportRoutes} {
		if err := read(e); err != nil {
			return nil, err
		}
	}
	return e, r.exportKeys(e)
}

// exported lists resources as package apigw has them.
func exported[To, From any](r *reader, endpoint wire.Endpoint, path ...string) ([]*To, error) {
	found, err := list[From](r.ctx, r.Client, endpoint, path...)
	if err != nil {
		return nil, err
	}
	all := make([]*To, len(found))
	for i, item := range found {
		all[i] = new(convert[To](item))
	}
	return all, nil
}

// exportParts reads what has no parts of its own.
func (r *reader) exportParts(e *Exported) (err error) {
	id := e.API.ApiId
	if e.API.Models, err = exported[apigw.Model, wire.Model](r, wire.GetModels.Endpoint, id); err != nil {
		return err
	}
	if e.API.Authorizers, err = exported[apigw.Authorizer, wire.Authorizer](r, wire.GetAuthorizers.Endpoint, id); err != nil {
		return err
	}
	if e.Stages, err = exported[apigw.Stage, wire.Stage](r, wire.GetStages.Endpoint, id); err != nil {
		return err
	}
	for _, s := range e.Stages {
		s.ApiId = id
	}
	return nil
}

func (r *reader) exportIntegrations(e *Exported) (err error) {
	if e.API.Integrations, err = exported[apigw.Integration, wire.Integration](r, wire.GetIntegrations.Endpoint, e.API.ApiId); err != nil {
		return err
	}
	for _, i := range e.API.Integrations {
		i.IntegrationResponses, err = exported[apigw.IntegrationResponse, wire.IntegrationResponse](
			r, wire.GetIntegrationResponses.Endpoint, e.API.ApiId, i.IntegrationId)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) exportRoutes(e *Exported) (err error) {
	if e.API.Routes, err = exported[apigw.Route, wire.Route](r, wire.GetRoutes.Endpoint, e.API.ApiId); err != nil {
		return err
	}
	for _, route := range e.API.Routes {
		route.RouteResponses, err = exported[apigw.RouteResponse, wire.RouteResponse](
			r, wire.GetRouteResponses.Endpoint, e.API.ApiId, route.RouteId)
		if err != nil {
			return err
		}
	}
	return nil
}

// exportKeys reads API keys and usage plans, where an API needs keys and the credentials
// allow it.
func (r *reader) exportKeys(e *Exported) error {
	needed := false
	for _, route := range e.API.Routes {
		needed = needed || route.ApiKeyRequired
	}
	if !needed {
		return nil
	}
	hidden := new(State)
	err := func() error {
		keys, err := listWith[wirev1.ApiKey](r.ctx, r.Client, call{Endpoint: wirev1.GetApiKeys.Endpoint, query: url.Values{"includeValues": {"true"}}})
		if err != nil {
			return err
		}
		for _, k := range keys {
			e.Keys = append(e.Keys, &apigw.ApiKey{Id: text(k.Id), Name: text(k.Name), Value: text(k.Value), Enabled: k.Enabled != nil && *k.Enabled})
		}
		e.Plans, err = r.exportPlans()
		return err
	}()
	if !hidden.mayHide(err, "API keys and usage plans") {
		return err
	}
	e.Hidden = hidden.hidden
	return nil
}

// exportPlans reads usage plans with their keys.
func (r *reader) exportPlans() ([]*apigw.UsagePlan, error) {
	found, err := listWith[wirev1.UsagePlan](r.ctx, r.Client, call{Endpoint: wirev1.GetUsagePlans.Endpoint, query: url.Values{}})
	if err != nil {
		return nil, err
	}
	plans := make([]*apigw.UsagePlan, len(found))
	for i, p := range found {
		plan := convert[apigw.UsagePlan](p)
		keys, err := listWith[wirev1.UsagePlanKey](r.ctx, r.Client, call{Endpoint: wirev1.GetUsagePlanKeys.Endpoint, path: []string{plan.Id}, query: url.Values{}})
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			plan.KeyIds = append(plan.KeyIds, text(k.Id))
		}
		plans[i] = &plan
	}
	return plans, nil
}
