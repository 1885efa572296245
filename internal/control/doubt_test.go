package control

import (
	"context"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// Expressions that are accepted and select nothing are warned of, and no other:
// sections C.1, M.22.
func TestDoubtfulExpressions(t *testing.T) {
	t.Parallel()
	var warnings []string
	h := start(t, func(o *Options) { o.Warn = func(_ context.Context, w string) { warnings = append(warnings, w) } })
	api := h.api(t)
	integration, join := h.integration(t, api), h.route(t, api, "join")
	for _, doubtful := range []string{"$request.body.a-b", "$request.body.@type", "$request.body..action", "$request.body.*", "$request.body[*]"} {
		warnings = nil
		must(t, h.CreateApi, &sdk.CreateApiInput{Name: new("x"), ProtocolType: "WEBSOCKET", RouteSelectionExpression: &doubtful})
		must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, RouteSelectionExpression: &doubtful})
		must(t, h.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &api, RouteId: &join, ModelSelectionExpression: &doubtful})
		must(t, h.UpdateIntegration, &sdk.UpdateIntegrationInput{ApiId: &api, IntegrationId: &integration, TemplateSelectionExpression: &doubtful})
		got := strings.Join(warnings, "\n")
		for _, member := range []string{"routeSelectionExpression: ", "modelSelectionExpression: ", "templateSelectionExpression: "} {
			if !strings.Contains(got, member+doubtful) {
				t.Errorf("%s: no warning of %s in\n%s", doubtful, member, got)
			}
		}
		if len(warnings) != 4 {
			t.Errorf("%s: warnings\n%s", doubtful, got)
		}
	}
	warnings = nil
	for _, clear := range []string{"$request.body.[2]", "$request.body.a.[0]", "$request.body.['action']", "${request.body.a-b}", "$request.body.a/$request.body.b"} {
		must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, RouteSelectionExpression: &clear})
	}
	must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, Description: new("no expression at all")})
	if len(warnings) > 0 {
		t.Errorf("warnings of what is clear: %q", warnings)
	}
}

// A token that another list gave, or nobody, is refused: section H.12.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	h.api(t)
	h.route(t, api, "a")
	h.route(t, api, "b")
	routes := must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api, MaxResults: new("1")})
	second := must(t, h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api, MaxResults: new("1"), NextToken: routes.NextToken})
	if len(second.Items) != 1 || second.NextToken != nil || *second.Items[0].RouteId == *routes.Items[0].RouteId {
		t.Errorf("the second page is %+v", second)
	}
	token := *routes.NextToken
	refuse(t, []errorCase{
		{"H.12", call(h.GetApis, &sdk.GetApisInput{NextToken: &token}), badRequest("Invalid nextToken specified: " + token)},
		{"H.12", call(h.GetRoutes, &sdk.GetRoutesInput{ApiId: &api, NextToken: new(token[1:])}), badRequest("Invalid nextToken specified: " + token[1:])},
	})
}
