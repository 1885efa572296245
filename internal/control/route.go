package control

import (
	"context"
	"net/http"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/expression"
)

func (s *server) routeOperations() []handler {
	update := wire.UpdateRoute
	update.Status = http.StatusCreated // AWS's own, whatever its model says (section H.1)
	return []handler{
		operation(wire.CreateRoute, s.createRoute),
		operation(wire.GetRoute, s.getRoute),
		operation(wire.GetRoutes, s.getRoutes),
		operation(update, s.updateRoute),
		silent(wire.DeleteRoute, s.deleteRoute),
		silent(wire.DeleteRouteRequestParameter, s.deleteRouteRequestParameter),
	}
}

func (s *server) createRoute(ctx context.Context, in *wire.CreateRouteRequest) (*wire.Route, error) {
	var route *apigw.Route
	err := s.changeAPI(ctx, in.ApiId, func(api *apigw.API) error {
		if err := checkQuota(len(api.Routes), s.Quotas.Routes, "Routes", "API"); err != nil {
			return err
		}
		route = &apigw.Route{
			RouteId:           unusedID(apigw.NewRouteID, func(id string) bool { return api.Route(id) != nil }),
			AuthorizationType: authorizationNone,
		}
		api.Routes = append(api.Routes, route)
		return setRoute(api, route, as[wire.UpdateRouteRequest](in))
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "modelSelectionExpression", expression.ModelSelection, in.ModelSelectionExpression)
	return routeView(route), nil
}

func (s *server) getRoute(ctx context.Context, in *wire.GetRouteRequest) (*wire.Route, error) {
	route, err := s.readRoute(ctx, in.ApiId, in.RouteId)
	if err != nil {
		return nil, err
	}
	return routeView(route), nil
}

func (s *server) getRoutes(ctx context.Context, in *wire.GetRoutesRequest) (*wire.GetRoutesResponse, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(api.Routes, func(r *apigw.Route) string { return r.RouteId }, routeView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetRoutesResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateRoute(ctx context.Context, in *wire.UpdateRouteRequest) (*wire.Route, error) {
	var changed *apigw.Route
	err := s.changeRoute(ctx, in.ApiId, in.RouteId, func(api *apigw.API, route *apigw.Route) error {
		changed = route
		return setRoute(api, route, in)
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "modelSelectionExpression", expression.ModelSelection, in.ModelSelectionExpression)
	return routeView(changed), nil
}

func (s *server) deleteRoute(ctx context.Context, in *wire.DeleteRouteRequest) error {
	return s.changeRoute(ctx, in.ApiId, in.RouteId, func(api *apigw.API, route *apigw.Route) error {
		api.Routes = slices.DeleteFunc(api.Routes, func(r *apigw.Route) bool { return r == route })
		return nil
	})
}

func (s *server) deleteRouteRequestParameter(ctx context.Context, in *wire.DeleteRouteRequestParameterRequest) error {
	return s.changeRoute(ctx, in.ApiId, in.RouteId, func(_ *apigw.API, route *apigw.Route) error {
		if _, exists := route.RequestParameters[in.RequestParameterKey]; !exists {
			return notFound("RequestParameter", in.RequestParameterKey)
		}
		delete(route.RequestParameters, in.RequestParameterKey)
		return nil
	})
}

func (s *server) readRoute(ctx context.Context, apiID, id string) (*apigw.Route, error) {
	api, err := s.readAPI(ctx, apiID)
	if err != nil {
		return nil, err
	}
	route := api.Route(id)
	if route == nil {
		return nil, notFound("Route", id)
	}
	return route, nil
}

// changeRoute is changeAPI for one of its routes.
func (s *server) changeRoute(ctx context.Context, apiID, id string, change func(*apigw.API, *apigw.Route) error) error {
	return s.changeAPI(ctx, apiID, func(api *apigw.API) error {
		route := api.Route(id)
		if route == nil {
			return notFound("Route", id)
		}
		return change(api, route)
	})
}

// setRoute changes the members that a request has, and checks the route.
// Request parameters are merged: DeleteRouteRequestParameter removes them.
func setRoute(api *apigw.API, route *apigw.Route, in *wire.UpdateRouteRequest) error {
	set(&route.RouteKey, in.RouteKey)
	set(&route.Target, in.Target)
	set(&route.ApiKeyRequired, in.ApiKeyRequired)
	set(&route.AuthorizationType, in.AuthorizationType)
	set(&route.AuthorizerId, in.AuthorizerId)
	set(&route.ModelSelectionExpression, in.ModelSelectionExpression)
	set(&route.OperationName, in.OperationName)
	set(&route.RouteResponseSelectionExpression, in.RouteResponseSelectionExpression)
	replace(&route.RequestModels, in.RequestModels)
	for key, constraints := range constraintsOf(in.RequestParameters) {
		if route.RequestParameters == nil {
			route.RequestParameters = make(map[string]apigw.ParameterConstraints)
		}
		route.RequestParameters[key] = constraints
	}
	if len(in.AuthorizationScopes) > 0 {
		return apigw.BadRequest("AuthorizationScopes cannot be set for WEBSOCKET protocol Apis.")
	}
	return checkRoute(api, route)
}

// constraintsOf reads constraints of parameters. Without "required" a parameter
// may be missing.
func constraintsOf(in map[string]*wire.ParameterConstraints) map[string]apigw.ParameterConstraints {
	if in == nil {
		return nil
	}
	out := make(map[string]apigw.ParameterConstraints, len(in))
	for key, constraints := range in {
		out[key] = apigw.ParameterConstraints{Required: constraints.Required != nil && *constraints.Required}
	}
	return out
}

// constraintsView is the inverse of constraintsOf.
func constraintsView(in map[string]apigw.ParameterConstraints) map[string]*wire.ParameterConstraints {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]*wire.ParameterConstraints, len(in))
	for key, constraints := range in {
		out[key] = &wire.ParameterConstraints{Required: &constraints.Required}
	}
	return out
}

// routeView is what clients see of a route: apiKeyRequired and
// authorizationType always, the other members only if they are set (section
// H.4).
func routeView(r *apigw.Route) *wire.Route {
	return &wire.Route{
		ApiKeyRequired:                   &r.ApiKeyRequired,
		AuthorizationType:                &r.AuthorizationType,
		AuthorizerId:                     optional(r.AuthorizerId),
		ModelSelectionExpression:         optional(r.ModelSelectionExpression),
		OperationName:                    optional(r.OperationName),
		RequestModels:                    r.RequestModels,
		RequestParameters:                constraintsView(r.RequestParameters),
		RouteId:                          &r.RouteId,
		RouteKey:                         &r.RouteKey,
		RouteResponseSelectionExpression: optional(r.RouteResponseSelectionExpression),
		Target:                           optional(r.Target),
	}
}
