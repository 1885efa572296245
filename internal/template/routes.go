package template

import (
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
)

func (b *builder) route(res *resource) {
	api, p := b.below(res, routeSchema)
	if api == nil {
		return
	}
	key := p.text("RouteKey")
	if strings.HasPrefix(key, "$") && !isPredefinedRoute(key) {
		p.wrong("RouteKey", "the route key %q starts with $; only $connect, $disconnect and $default may%s", key,
			b.didYouMean(key, []string{"$connect", "$disconnect", "$default"}))
	}
	if first, twice := api.routeLines[key]; twice && key != "" {
		p.wrong("RouteKey", "the API has a route %s already, on line %d", key, first)
	} else {
		api.routeLines[key] = res.line
	}
	b.checkTarget(api, p)
	b.checkAuthorization(api, p, key)
	b.checkRequestModels(api, p, key)
	if p.has("RequestParameters") && key != "$connect" && key != "" {
		p.wrong("RequestParameters", "RequestParameters are for the route $connect only")
	}
	api.Routes = append(api.Routes, &apigw.Route{
		RouteId:                          b.id(res, 7),
		RouteKey:                         key,
		Target:                           p.text("Target"),
		ApiKeyRequired:                   p.boolean("ApiKeyRequired"),
		AuthorizationType:                p.text("AuthorizationType"),
		AuthorizerId:                     p.text("AuthorizerId"),
		AuthorizationScopes:              p.texts("AuthorizationScopes"),
		ModelSelectionExpression:         p.text("ModelSelectionExpression"),
		OperationName:                    p.text("OperationName"),
		RequestModels:                    p.textMap("RequestModels"),
		RequestParameters:                p.constraints("RequestParameters"),
		RouteResponseSelectionExpression: p.text("RouteResponseSelectionExpression"),
	})
}

// checkTarget checks that the route leads to an integration of its own API.
func (b *builder) checkTarget(api *apiBuilder, p *properties) {
	target := p.text("Target")
	if target == "" {
		return
	}
	id, ok := strings.CutPrefix(target, "integrations/")
	switch {
	case !ok && api.integrations[target]:
		p.wrong("Target", "Target must be written integrations/{id of the integration}, not the id alone")
	case !ok:
		p.wrong("Target", "Target must have the form integrations/{id of the integration}, not %q", target)
	case !api.integrations[id]:
		p.wrong("Target", "Target %q is no integration of the API %s", target, api.res.id)
	}
}

// checkAuthorization checks the route's authorization against its authorizer.
func (b *builder) checkAuthorization(api *apiBuilder, p *properties, key string) {
	typ := p.text("AuthorizationType")
	if typ != "CUSTOM" && typ != "AWS_IAM" {
		return
	}
	if key != "$connect" && key != "" {
		p.wrong("AuthorizationType", "Currently, authorization is restricted to the $connect route only")
		return
	}
	if typ == "AWS_IAM" {
		p.ignore(p.lines["AuthorizationType"], "AuthorizationType", "signatures are not checked here: everybody may connect")
		return
	}
	if !p.has("AuthorizerId") {
		p.wrong("AuthorizationType", "the AuthorizationType CUSTOM needs an AuthorizerId")
		return
	}
	if id := p.text("AuthorizerId"); id != "" && !api.authorizers[id] {
		p.wrong("AuthorizerId", "AuthorizerId %q is no authorizer of the API %s", id, api.res.id)
	}
}

// constraints reads an object of {Required: boolean}.
func (p *properties) constraints(name string) map[string]apigw.ParameterConstraints {
	if !p.isKnown(name) || len(p.values[name].members) == 0 {
		return nil
	}
	out := map[string]apigw.ParameterConstraints{}
	for _, m := range p.values[name].members {
		out[m.key] = apigw.ParameterConstraints{Required: textOf(m.value.get("Required")) == "true"}
	}
	return out
}

func (b *builder) routeResponse(res *resource) {
	api, p := b.below(res, routeResponseSchema)
	if api == nil || !p.isKnown("RouteId") {
		return
	}
	b.checkExpression(p, "ModelSelectionExpression", expression.RouteResponseModelSelection)
	id := p.text("RouteId")
	i := slices.IndexFunc(api.Routes, func(r *apigw.Route) bool { return r.RouteId == id })
	if i < 0 {
		p.wrong("RouteId", "RouteId %q is no route of the API %s", id, api.res.id)
		return
	}
	route := api.Routes[i]
	if len(route.RouteResponses) > 0 {
		p.wrong("RouteResponseKey", "the route %s has a route response already", route.RouteKey)
		return
	}
	route.RouteResponses = append(route.RouteResponses, &apigw.RouteResponse{
		RouteResponseId:          b.id(res, 6),
		RouteResponseKey:         p.text("RouteResponseKey"),
		ModelSelectionExpression: p.text("ModelSelectionExpression"),
		ResponseModels:           p.textMap("ResponseModels"),
		ResponseParameters:       p.constraints("ResponseParameters"),
	})
}
