package control

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func driveRoute(t *testing.T, h *harness) {
	api := h.api(t)
	target := "integrations/" + h.integration(t, api)
	created := must(t, h.CreateRoute, &sdk.CreateRouteInput{
		ApiId: &api, RouteKey: new("$connect"), Target: &target,
		AuthorizationType: types.AuthorizationTypeCustom, AuthorizerId: new(h.authorizer(t, api)), ApiKeyRequired: new(true),
		ModelSelectionExpression: new("$request.body.kind"), RequestModels: map[string]string{"$default": "Message"},
		OperationName: new("enter"), RouteResponseSelectionExpression: new("$default"),
		RequestParameters: map[string]types.ParameterConstraints{"route.request.querystring.token": {Required: new(true)}},
	})
	must(t, h.DeleteRouteRequestParameter, &sdk.DeleteRouteRequestParameterInput{
		ApiId: &api, RouteId: created.RouteId, RequestParameterKey: new("route.request.querystring.token"),
	})
	updated := must(t, h.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &api, RouteId: created.RouteId, OperationName: new("in")})
	got := must(t, h.GetRoute, &sdk.GetRouteInput{ApiId: &api, RouteId: created.RouteId})
	same(t, sdk.GetRouteOutput(*updated), *got)
	if got.RequestParameters != nil {
		t.Errorf("request parameters %v", got.RequestParameters)
	}
	h.route(t, api, "join")
	if page := must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteRoute, &sdk.DeleteRouteInput{ApiId: &api, RouteId: created.RouteId})
}

// What a new route looks like: section H.4.
func TestCreateRoute(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	got := must(t, h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("chat/join")})
	same(t, &sdk.CreateRouteOutput{
		ApiKeyRequired: new(false), AuthorizationType: "NONE", RouteId: got.RouteId, RouteKey: new("chat/join"),
	}, got)
	if len(*got.RouteId) != 7 {
		t.Errorf("id %q (section B.1)", *got.RouteId)
	}
}

// Request parameters are merged, models replaced, and authorization NONE
// forgets the authorizer: sections H.4, H.11.
func TestUpdateRoute(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	route := must(t, h.CreateRoute, &sdk.CreateRouteInput{
		ApiId: &api, RouteKey: new("$connect"), AuthorizationType: types.AuthorizationTypeCustom, AuthorizerId: new(h.authorizer(t, api)),
		RequestParameters: map[string]types.ParameterConstraints{"route.request.header.a": {Required: new(true)}},
		RequestModels:     map[string]string{"a": "Message"},
	})
	got := must(t, h.UpdateRoute, &sdk.UpdateRouteInput{
		ApiId: &api, RouteId: route.RouteId, AuthorizationType: types.AuthorizationTypeNone,
		RequestParameters: map[string]types.ParameterConstraints{"route.request.header.b": {}},
		RequestModels:     map[string]string{"b": "Message"},
	})
	same(t, &sdk.UpdateRouteOutput{
		ApiKeyRequired: new(false), AuthorizationType: "NONE", RouteId: route.RouteId, RouteKey: new("$connect"),
		RequestParameters: map[string]types.ParameterConstraints{
			"route.request.header.a": {Required: new(true)}, "route.request.header.b": {Required: new(false)},
		},
		RequestModels: map[string]string{"b": "Message"},
	}, got)
}

func driveRouteResponse(t *testing.T, h *harness) {
	api := h.api(t)
	route := h.route(t, api, "join")
	created := must(t, h.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: &api, RouteId: &route, RouteResponseKey: new("$default")})
	same(t, &sdk.CreateRouteResponseOutput{RouteResponseId: created.RouteResponseId, RouteResponseKey: new("$default")}, created) // section H.6
	if len(*created.RouteResponseId) != 6 {
		t.Errorf("id %q (section B.1)", *created.RouteResponseId)
	}
	id := created.RouteResponseId
	must(t, h.UpdateRouteResponse, &sdk.UpdateRouteResponseInput{
		ApiId: &api, RouteId: &route, RouteResponseId: id, ModelSelectionExpression: new("$default"),
		ResponseModels:     map[string]string{"$default": "Message"},
		ResponseParameters: map[string]types.ParameterConstraints{"route.response.header.a": {Required: new(true)}},
	})
	must(t, h.GetRouteResponse, &sdk.GetRouteResponseInput{ApiId: &api, RouteId: &route, RouteResponseId: id})
	if list := must(t, h.GetRouteResponses, &sdk.GetRouteResponsesInput{ApiId: &api, RouteId: &route}); len(list.Items) != 1 {
		t.Errorf("route responses %v", list.Items)
	}
	must(t, h.DeleteRouteResponse, &sdk.DeleteRouteResponseInput{ApiId: &api, RouteId: &route, RouteResponseId: id})
	if list := must(t, h.GetRouteResponses, &sdk.GetRouteResponsesInput{ApiId: &api, RouteId: &route}); list.Items == nil || len(list.Items) != 0 {
		t.Errorf("route responses %v, want an empty list", list.Items)
	}
}
