package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// An API's default endpoint goes and comes back with the next deployment, not
// before; and the line of the audit warns of an expression that selects nothing.
func TestServeCorrections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.configure("log: {format: json}\n")
	g := s.start(Config{Open: true})
	keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")
	plane := sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, Credentials: keys, HTTPClient: gatewaytest.HTTPClient})

	api := did(t, plane.CreateApi, &sdk.CreateApiInput{
		Name: new("ocpp"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.[2]"),
	}).ApiId
	mock := did(t, plane.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeMock, IntegrationUri: new(""), TemplateSelectionExpression: new(`\$default`),
		RequestTemplates: map[string]string{"application/json": `{"statusCode":200}`},
	}).IntegrationId
	did(t, plane.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{
		ApiId: api, IntegrationId: mock, IntegrationResponseKey: new("$default"), TemplateSelectionExpression: new("answer"),
		ResponseTemplates: map[string]string{"answer": "to $context.routeKey"},
	})
	route := did(t, plane.CreateRoute, &sdk.CreateRouteInput{ApiId: api, RouteKey: new("BootNotification"), Target: new("integrations/" + *mock)})
	did(t, plane.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: api, RouteId: route.RouteId, RouteResponseKey: new("$default")})
	deploy := func() *string {
		return did(t, plane.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: api}).DeploymentId
	}
	did(t, plane.CreateStage, &sdk.CreateStageInput{ApiId: api, StageName: new("prod"), DeploymentId: deploy()})

	endpoint := *api + ".execute-api.us-east-1.amazonaws.com"
	if got := gatewaytest.Ask(t, g.dialAs(endpoint), `[2,"1","BootNotification",{}]`); got != "to BootNotification" {
		t.Errorf("answer %q", got)
	}
	for _, disabled := range []bool{true, false} {
		did(t, plane.UpdateApi, &sdk.UpdateApiInput{ApiId: api, DisableExecuteApiEndpoint: &disabled})
		if got := g.reachable(endpoint); got != disabled {
			t.Errorf("before the deployment with disableExecuteApiEndpoint %t: reachable is %t", disabled, got)
		}
		did(t, plane.UpdateStage, &sdk.UpdateStageInput{ApiId: api, StageName: new("prod"), DeploymentId: deploy()})
		if got := g.reachable(endpoint); got == disabled {
			t.Errorf("after the deployment with disableExecuteApiEndpoint %t: reachable is %t", disabled, got)
		}
	}

	did(t, plane.UpdateApi, &sdk.UpdateApiInput{ApiId: api, RouteSelectionExpression: new("$request.body..action")})
	g.logged(`"warning":"routeSelectionExpression: $request.body..action gives a list`)
	if n := strings.Count(g.log.String(), `"warning"`); n != 1 {
		t.Errorf("%d warnings in\n%s", n, &g.log)
	}
}

// reachable reports whether a handshake with the stage "prod" of a host is not
// refused as one for nobody.
func (g *served) reachable(host string) bool {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.Public[0]+"/prod", nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Host = host
	answer, err := gatewaytest.HTTPClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode != http.StatusForbidden // no handshake: 426
}
