package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// A custom domain, an API key and a VPC link are in effect when the control plane
// answers, and out of effect when it has answered again.
func TestServeControlPlane(t *testing.T) {
	t.Parallel()
	rooms := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("from " + r.Host))
	}))
	t.Cleanup(rooms.Close)
	s := newSite(t)
	s.configure("")
	g := s.start(Config{Open: true})
	keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")
	v2 := sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, Credentials: keys, HTTPClient: gatewaytest.HTTPClient})
	v1 := sdkv1.New(sdkv1.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, Credentials: keys, HTTPClient: gatewaytest.HTTPClient})

	link := did(t, v1.CreateVpcLink, &sdkv1.CreateVpcLinkInput{
		Name: new("rooms"), TargetArns: []string{"arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/rooms/1"},
		Tags: map[string]string{"stagedoor:address": rooms.URL},
	})
	api := did(t, v2.CreateApi, &sdk.CreateApiInput{Name: new("chat"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: new("$request.body.action")}).ApiId
	integration := did(t, v2.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: new("http://rooms.internal/"), IntegrationMethod: new("POST"),
		ConnectionType: types.ConnectionTypeVpcLink, ConnectionId: link.Id,
	})
	mock := did(t, v2.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeMock, RequestTemplates: map[string]string{"$default": `{"statusCode":200}`},
		TemplateSelectionExpression: new(`\$default`),
	})
	did(t, v2.CreateRoute, &sdk.CreateRouteInput{ApiId: api, RouteKey: new("$connect"), ApiKeyRequired: new(true), Target: new("integrations/" + *mock.IntegrationId)})
	route := did(t, v2.CreateRoute, &sdk.CreateRouteInput{
		ApiId: api, RouteKey: new("$default"), RouteResponseSelectionExpression: new("$default"), Target: new("integrations/" + *integration.IntegrationId),
	})
	did(t, v2.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: api, RouteId: route.RouteId, RouteResponseKey: new("$default")})
	did(t, v2.CreateStage, &sdk.CreateStageInput{ApiId: api, StageName: new("dev"), AutoDeploy: new(true)})
	did(t, v2.CreateDomainName, &sdk.CreateDomainNameInput{DomainName: new("*.example.com"), DomainNameConfigurations: []types.DomainNameConfiguration{{}}})
	did(t, v2.CreateApiMapping, &sdk.CreateApiMappingInput{DomainName: new("*.example.com"), ApiId: api, Stage: new("dev"), ApiMappingKey: new("chat")})
	apiKey := did(t, v1.CreateApiKey, &sdkv1.CreateApiKeyInput{Enabled: true})
	plan := did(t, v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("gold"), ApiStages: []typesv1.ApiStage{{ApiId: api, Stage: new("dev")}}})
	g.refused("chat.example.com", *apiKey.Value, http.StatusForbidden)
	did(t, v1.CreateUsagePlanKey, &sdkv1.CreateUsagePlanKeyInput{UsagePlanId: plan.Id, KeyId: apiKey.Id, KeyType: new("API_KEY")})

	g.refused("chat.example.com", "", http.StatusForbidden)
	g.refused("chat.example.org", *apiKey.Value, http.StatusForbidden)
	conn, _, err := g.open("chat.example.com", *apiKey.Value)
	if err != nil {
		t.Fatalf("%v; the log:\n%s", err, &g.log)
	}
	if got := gatewaytest.Ask(t, conn, "hello"); got != "from rooms.internal" {
		t.Errorf("answer %q", got)
	}
	did(t, v1.UpdateApiKey, &sdkv1.UpdateApiKeyInput{ApiKey: apiKey.Id, PatchOperations: []typesv1.PatchOperation{
		{Op: typesv1.OpReplace, Path: new("/enabled"), Value: new("false")},
	}})
	g.refused("chat.example.com", *apiKey.Value, http.StatusForbidden)

	did(t, v1.DeleteApiKey, &sdkv1.DeleteApiKeyInput{ApiKey: apiKey.Id})
	did(t, v2.DeleteDomainName, &sdk.DeleteDomainNameInput{DomainName: new("*.example.com")})
	did(t, v2.DeleteApi, &sdk.DeleteApiInput{ApiId: api})
	did(t, v1.DeleteVpcLink, &sdkv1.DeleteVpcLinkInput{VpcLinkId: link.Id})
	if plan := did(t, v1.GetUsagePlanKeys, &sdkv1.GetUsagePlanKeysInput{UsagePlanId: plan.Id}); len(plan.Items) > 0 {
		t.Errorf("keys of the plan: %+v", plan.Items)
	}
}

// did does an operation that does not fail.
func did[In, Out, Options any](t *testing.T, operation func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) *Out {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	out, err := operation(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// open opens a connection to a domain with an API key.
func (g *served) open(domain, apiKey string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(g.t.Context(), gatewaytest.Timeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, strings.Replace(g.Public[0], "http", "ws", 1)+"/chat", &websocket.DialOptions{
		HTTPClient: gatewaytest.HTTPClient, Host: domain, HTTPHeader: http.Header{"X-Api-Key": {apiKey}},
	})
	if err == nil {
		g.t.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, answer, err
}

// refused opens a connection that is refused with a status.
func (g *served) refused(domain, apiKey string, status int) {
	g.t.Helper()
	_, answer, err := g.open(domain, apiKey)
	if err == nil || answer == nil || answer.StatusCode != status {
		g.t.Errorf("%s: %v, %+v, want status %d", domain, err, answer, status)
	}
}

// GetAccount tells the limit of requests that holds, which is none unless the
// configuration has one: AWS's, or another.
func TestServeAccountLimits(t *testing.T) {
	t.Parallel()
	for limits, want := range map[string]*typesv1.ThrottleSettings{
		"{}":                              nil,
		"{requests: none}":                nil,
		"{connects: aws}":                 nil,
		"{requests: aws}":                 {RateLimit: 10_000, BurstLimit: 5_000},
		"{requests: aws, connects: none}": {RateLimit: 10_000, BurstLimit: 5_000},
		"{requests: 100/20}":              {RateLimit: 100, BurstLimit: 20},
		"{requests: 0.5}":                 {RateLimit: 0.5, BurstLimit: 1},
	} {
		t.Run(limits, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.configure("limits: " + limits + "\n")
			g := s.start(Config{Open: true})
			keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")
			v1 := sdkv1.New(sdkv1.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, Credentials: keys, HTTPClient: gatewaytest.HTTPClient})
			got := did(t, v1.GetAccount, &sdkv1.GetAccountInput{}).ThrottleSettings
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(typesv1.ThrottleSettings{})); diff != "" {
				t.Errorf("throttle settings (-want +got):\n%s", diff)
			}
		})
	}
}
