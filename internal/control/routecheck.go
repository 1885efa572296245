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

// checkRoute tells whether a route of an API can be: on its own, and with what
// it refers to (spec H.4).
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

// checkTarget: a route may be without a target, but not point at nothing.
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

// checkAuthorization: only $connect is authorized. The authorizer of a route
// that uses none is not kept.
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

// checkModelNames tells whether models, by whatever keys, exist. They are
// referred to by name.
func checkModelNames(api *apigw.API, models map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(models)) {
		if name := models[key]; api.ModelByName(name) == nil {
			return notFound("Model", name)
		}
	}
	return nil
}
