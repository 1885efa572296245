package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// Authorization types of routes.
const (
	authorizationNone   = "NONE"
	authorizationCustom = "CUSTOM"
	authorizationJWT    = "JWT"
)

// checkRoute returns an error for a route that is not valid, on its own or with
// what it refers to in its API (section H.4).
func checkRoute(api *apigw.API, route *apigw.Route) error {
	for _, check := range []func(*apigw.API, *apigw.Route) error{
		checkRouteKey, checkTarget, checkAuthorization, checkRequestModels,
	} {
		if err := check(api, route); err != nil {
			return err
		}
	}
	if _, err := mapping.CompileRequired(route.RequestParameters); err != nil {
		return invalid(err)
	}
	if selection := route.RouteResponseSelectionExpression; selection != "" {
		if _, err := expression.ParseAt(expression.RouteResponseSelection, selection); err != nil {
			return apigw.BadRequest("Invalid route response " + err.Error())
		}
	}
	return nil
}

func checkRouteKey(api *apigw.API, route *apigw.Route) error {
	switch key := route.RouteKey; {
	case key == "":
		return apigw.BadRequest("Missing required member: routeKey")
	case strings.HasPrefix(key, "$") && key != "$connect" && key != "$disconnect" && key != "$default":
		return apigw.BadRequest("Invalid route key specified: " + key + ". Keys that begin with $ are reserved. Must be one of [$connect, $disconnect, $default] or a custom key")
	}
	for _, other := range api.Routes {
		if other != route && other.RouteKey == route.RouteKey {
			return apigw.Conflict(fmt.Sprintf("Route with key %s already exists for this API", route.RouteKey))
		}
	}
	return nil
}

// checkTarget refuses the target of a route that is not an integration of the
// API. A route may have no target.
func checkTarget(api *apigw.API, route *apigw.Route) error {
	if route.Target == "" {
		return nil
	}
	id, ok := strings.CutPrefix(route.Target, "integrations/")
	if !ok {
		return apigw.BadRequest("Invalid target specified: " + route.Target + ". The format must be integrations/{integrationId}")
	}
	if api.Integration(id) == nil {
		return notFound("Integration", id)
	}
	return nil
}

// checkAuthorization refuses authorization on routes other than $connect. An
// authorizer's id is removed from a route whose authorization type does not use
// it.
func checkAuthorization(api *apigw.API, route *apigw.Route) error {
	switch route.AuthorizationType {
	case "", authorizationNone:
		route.AuthorizationType = authorizationNone
		route.AuthorizerId = ""
		return nil
	case authorizationJWT:
		return apigw.BadRequest("Authorization type JWT cannot be set for WEBSOCKET protocol Apis.")
	}
	if route.RouteKey != "$connect" {
		return apigw.BadRequest("Currently, authorization is restricted to the $connect route only")
	}
	if route.AuthorizationType != authorizationCustom {
		route.AuthorizerId = ""
		return nil
	}
	if route.AuthorizerId == "" {
		return apigw.BadRequest("AuthorizerId is required for authorization type CUSTOM")
	}
	if api.Authorizer(route.AuthorizerId) == nil {
		return errNoAuthorizer
	}
	return nil
}

func checkRequestModels(api *apigw.API, route *apigw.Route) error {
	if selection := route.ModelSelectionExpression; selection != "" {
		if _, err := expression.ParseAt(expression.ModelSelection, selection); err != nil {
			return apigw.BadRequest("Invalid model " + err.Error())
		}
	}
	return checkModelNames(api, route.RequestModels)
}

// checkModelNames returns an error unless all models exist. They are given by
// name; what the keys of the map are does not matter.
func checkModelNames(api *apigw.API, models map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(models)) {
		if name := models[key]; api.ModelByName(name) == nil {
			return notFound("Model", name)
		}
	}
	return nil
}
