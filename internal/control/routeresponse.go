package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/expression"
)

func (s *server) routeResponseOperations() []handler {
	return []handler{
		operation(wire.CreateRouteResponse, s.createRouteResponse),
		operation(wire.GetRouteResponse, s.getRouteResponse),
		operation(wire.GetRouteResponses, s.getRouteResponses),
		operation(wire.UpdateRouteResponse, s.updateRouteResponse),
		silent(wire.DeleteRouteResponse, s.deleteRouteResponse),
	}
}

func (s *server) createRouteResponse(ctx context.Context, in *wire.CreateRouteResponseRequest) (*wire.RouteResponse, error) {
	var response *apigw.RouteResponse
	err := s.changeRoute(ctx, in.ApiId, in.RouteId, func(api *apigw.API, route *apigw.Route) error {
		response = &apigw.RouteResponse{
			RouteResponseId: unusedID(apigw.NewChildID, func(id string) bool { return route.RouteResponse(id) != nil }),
		}
		route.RouteResponses = append(route.RouteResponses, response)
		return setRouteResponse(api, route, response, as[wire.UpdateRouteResponseRequest](in))
	})
	if err != nil {
		return nil, err
	}
	return routeResponseView(response), nil
}

func (s *server) getRouteResponse(ctx context.Context, in *wire.GetRouteResponseRequest) (*wire.RouteResponse, error) {
	route, err := s.readRoute(ctx, in.ApiId, in.RouteId)
	if err != nil {
		return nil, err
	}
	response := route.RouteResponse(in.RouteResponseId)
	if response == nil {
		return nil, notFound("RouteResponse", in.RouteResponseId)
	}
	return routeResponseView(response), nil
}

func (s *server) getRouteResponses(ctx context.Context, in *wire.GetRouteResponsesRequest) (*wire.GetRouteResponsesResponse, error) {
	route, err := s.readRoute(ctx, in.ApiId, in.RouteId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(route.RouteResponses, func(r *apigw.RouteResponse) string { return r.RouteResponseId }, routeResponseView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetRouteResponsesResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateRouteResponse(ctx context.Context, in *wire.UpdateRouteResponseRequest) (*wire.RouteResponse, error) {
	var changed *apigw.RouteResponse
	err := s.changeRoute(ctx, in.ApiId, in.RouteId, func(api *apigw.API, route *apigw.Route) error {
		if changed = route.RouteResponse(in.RouteResponseId); changed == nil {
			return notFound("RouteResponse", in.RouteResponseId)
		}
		return setRouteResponse(api, route, changed, in)
	})
	if err != nil {
		return nil, err
	}
	return routeResponseView(changed), nil
}

func (s *server) deleteRouteResponse(ctx context.Context, in *wire.DeleteRouteResponseRequest) error {
	return s.changeRoute(ctx, in.ApiId, in.RouteId, func(_ *apigw.API, route *apigw.Route) error {
		response := route.RouteResponse(in.RouteResponseId)
		if response == nil {
			return notFound("RouteResponse", in.RouteResponseId)
		}
		route.RouteResponses = slices.DeleteFunc(route.RouteResponses, func(r *apigw.RouteResponse) bool { return r == response })
		return nil
	})
}

// setRouteResponse changes the members that a request has, and checks the route
// response. The only key is $default, so a route has one at most (section D.4).
func setRouteResponse(api *apigw.API, route *apigw.Route, response *apigw.RouteResponse, in *wire.UpdateRouteResponseRequest) error {
	set(&response.RouteResponseKey, in.RouteResponseKey)
	set(&response.ModelSelectionExpression, in.ModelSelectionExpression)
	replace(&response.ResponseModels, in.ResponseModels)
	replace(&response.ResponseParameters, constraintsOf(in.ResponseParameters))
	if response.RouteResponseKey != expression.Default {
		return apigw.BadRequest("Invalid route response key specified: " + response.RouteResponseKey + ". Must be $default")
	}
	if len(route.RouteResponses) > 1 {
		return apigw.Conflict(fmt.Sprintf("RouteResponse with key %s already exists for this Route", response.RouteResponseKey))
	}
	if selection := response.ModelSelectionExpression; selection != "" {
		if _, err := expression.ParseAt(expression.RouteResponseModelSelection, selection); err != nil {
			return apigw.BadRequest("Invalid model " + err.Error())
		}
	}
	return checkModelNames(api, response.ResponseModels)
}

func routeResponseView(r *apigw.RouteResponse) *wire.RouteResponse {
	return &wire.RouteResponse{
		ModelSelectionExpression: optional(r.ModelSelectionExpression),
		ResponseModels:           r.ResponseModels,
		ResponseParameters:       constraintsView(r.ResponseParameters),
		RouteResponseId:          &r.RouteResponseId,
		RouteResponseKey:         &r.RouteResponseKey,
	}
}
