package control

import (
	"context"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

const certificateARN = "arn:aws:acm:us-east-1:123456789012:certificate/abc"

// domain creates a domain name.
func (h *harness) domain(t *testing.T, name string) {
	t.Helper()
	must(t, h.CreateDomainName, &sdk.CreateDomainNameInput{DomainName: &name, DomainNameConfigurations: []types.DomainNameConfiguration{{}}})
}

// staged creates an API with a stage.
func (h *harness) staged(t *testing.T, stage string) string {
	t.Helper()
	api := h.api(t)
	h.stage(t, api, stage)
	return api
}

func driveDomainName(t *testing.T, h *harness) {
	created := must(t, h.CreateDomainName, &sdk.CreateDomainNameInput{
		DomainName: new("chat.example.com"), Tags: map[string]string{"team": "blue"},
		DomainNameConfigurations: []types.DomainNameConfiguration{{
			CertificateArn: new(certificateARN), CertificateName: new("chat"), OwnershipVerificationCertificateArn: new(certificateARN),
			EndpointType: types.EndpointTypeRegional, SecurityPolicy: types.SecurityPolicyTls12,
		}},
	})
	got := must(t, h.GetDomainName, &sdk.GetDomainNameInput{DomainName: new("chat.example.com")})
	same(t, sdk.GetDomainNameOutput(*created), *got)
	updated := must(t, h.UpdateDomainName, &sdk.UpdateDomainNameInput{
		DomainName:               new("chat.example.com"),
		DomainNameConfigurations: []types.DomainNameConfiguration{{IpAddressType: types.IpAddressTypeDualstack, CertificateArn: new(certificateARN + "d")}},
	})
	if c := updated.DomainNameConfigurations[0]; c.IpAddressType != "dualstack" || *c.CertificateArn != certificateARN+"d" || *c.CertificateName != "chat" {
		t.Errorf("configuration %+v", c)
	}
	h.domain(t, "*.example.com")
	if page := must(t, h.GetDomainNames, &sdk.GetDomainNamesInput{MaxResults: new("1")}); page.NextToken == nil || *page.Items[0].DomainName != "*.example.com" {
		t.Errorf("page %+v", page)
	}
	must(t, h.DeleteDomainName, &sdk.DeleteDomainNameInput{DomainName: new("chat.example.com")})
}

// What new domain names look like: section H.10.
func TestCreateDomainName(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	for _, name := range []string{"chat.example.com", "*.example.com", "localhost"} {
		got := must(t, h.CreateDomainName, &sdk.CreateDomainNameInput{DomainName: &name, DomainNameConfigurations: []types.DomainNameConfiguration{{}}})
		endpoint := *got.DomainNameConfigurations[0].ApiGatewayDomainName
		if !strings.HasPrefix(endpoint, "d-") || !strings.HasSuffix(endpoint, ".execute-api.us-east-1.amazonaws.com") {
			t.Errorf("endpoint %s", endpoint)
		}
		same(t, &sdk.CreateDomainNameOutput{
			ApiMappingSelectionExpression: new("$request.basepath"), DomainName: &name, DomainNameArn: new("arn:aws:apigateway:us-east-1::/domainnames/" + name),
			DomainNameConfigurations: []types.DomainNameConfiguration{{
				ApiGatewayDomainName: &endpoint, DomainNameStatus: "AVAILABLE", EndpointType: "REGIONAL", IpAddressType: "ipv4", SecurityPolicy: "TLS_1_2",
			}},
			RoutingMode: "API_MAPPING_ONLY",
		}, got)
	}
}

func driveAPIMapping(t *testing.T, h *harness) {
	h.domain(t, "rooms.example.com")
	api := h.staged(t, "dev")
	domain := new("rooms.example.com")
	created := must(t, h.CreateApiMapping, &sdk.CreateApiMappingInput{DomainName: domain, ApiId: &api, Stage: new("dev"), ApiMappingKey: new("chat")})
	if len(*created.ApiMappingId) != 6 {
		t.Errorf("id %s", *created.ApiMappingId)
	}
	must(t, h.CreateApiMapping, &sdk.CreateApiMappingInput{DomainName: domain, ApiId: &api, Stage: new("dev")})
	must(t, h.UpdateApiMapping, &sdk.UpdateApiMappingInput{DomainName: domain, ApiMappingId: created.ApiMappingId, ApiId: &api, ApiMappingKey: new("talk")})
	got := must(t, h.GetApiMapping, &sdk.GetApiMappingInput{DomainName: domain, ApiMappingId: created.ApiMappingId})
	same(t, &sdk.GetApiMappingOutput{ApiId: &api, ApiMappingId: created.ApiMappingId, ApiMappingKey: new("talk"), Stage: new("dev")}, got)
	if page := must(t, h.GetApiMappings, &sdk.GetApiMappingsInput{DomainName: domain, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteApiMapping, &sdk.DeleteApiMappingInput{DomainName: domain, ApiMappingId: created.ApiMappingId})
}

func TestDomainNameErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.DomainNames = 1 })
	h.domain(t, "chat.example.com")
	create := func(name string, change func(*sdk.CreateDomainNameInput)) func(context.Context) error {
		in := &sdk.CreateDomainNameInput{DomainName: &name, DomainNameConfigurations: []types.DomainNameConfiguration{{}}}
		change(in)
		return call(h.CreateDomainName, in)
	}
	update := func(change func(*sdk.UpdateDomainNameInput)) func(context.Context) error {
		in := &sdk.UpdateDomainNameInput{DomainName: new("chat.example.com")}
		change(in)
		return call(h.UpdateDomainName, in)
	}
	configuration := func(c types.DomainNameConfiguration) func(context.Context) error {
		return update(func(in *sdk.UpdateDomainNameInput) { in.DomainNameConfigurations = []types.DomainNameConfiguration{c} })
	}
	unchanged := func(*sdk.CreateDomainNameInput) {}
	const shape = ". It must be a name of DNS in lower case, or *. and such a name"
	refuse(t, []errorCase{
		{"H.2", create("chat.example.com", unchanged), conflict("The domain name resource already exists.")},
		{"H.2", call(h.GetDomainName, &sdk.GetDomainNameInput{DomainName: new("a.b")}), missing("The domain name resource specified in the request was not found.")},
		{"H.2", call(h.DeleteDomainName, &sdk.DeleteDomainNameInput{DomainName: new("a.b")}), missing("The domain name resource specified in the request was not found.")},
		{"H.2", call(h.UpdateDomainName, &sdk.UpdateDomainNameInput{DomainName: new("a.b")}), missing("The domain name resource specified in the request was not found.")},
		{"H.2", create("a.b", unchanged), failure{429, "TooManyRequestsException",
			"Maximum number of DomainNames for this account has been reached. Please contact AWS if you need additional DomainNames."}},
		{"H.2", update(func(in *sdk.UpdateDomainNameInput) {
			in.MutualTlsAuthentication = &types.MutualTlsAuthenticationInput{TruststoreUri: new("s3://a/b")}
		}), badRequest("Mutual TLS domain name association is not supported for Websocket APIs.")},
		{"H.10", configuration(types.DomainNameConfiguration{EndpointType: "EDGE"}), badRequest("EDGE is not supported for APIGatewayV2 domainName.")},
		{"H.10", configuration(types.DomainNameConfiguration{SecurityPolicy: "TLS_1_0"}), badRequest("TLS_1_0 is not supported for APIGatewayV2 domainName.")},
		{"H.10", configuration(types.DomainNameConfiguration{CertificateArn: new("chat")}), badRequest("Invalid certificate ARN specified: chat")},
		{"H.10", update(func(in *sdk.UpdateDomainNameInput) {
			in.DomainNameConfigurations = make([]types.DomainNameConfiguration, 2)
		}), badRequest("Exactly one domainNameConfiguration must be specified.")},
		{"L.1", update(func(in *sdk.UpdateDomainNameInput) { in.RoutingMode = "ROUTING_RULE_ONLY" }),
			failure{501, "NotImplementedException", "Routing mode ROUTING_RULE_ONLY is not available: this is Stagedoor, a gateway for WebSocket APIs."}},
		{"H.10", create("chat.*.com", unchanged), badRequest("Invalid domain name specified: chat.*.com" + shape)},
		{"H.10", create("Chat.example.com", unchanged), badRequest("Invalid domain name specified: Chat.example.com" + shape)},
		{"H.10", create("a..b", unchanged), badRequest("Invalid domain name specified: a..b" + shape)},
	})
	h = start(t, nil)
	refuse(t, []errorCase{
		{"H.10", create("a.b", func(in *sdk.CreateDomainNameInput) { in.DomainNameConfigurations = nil }), badRequest("Exactly one domainNameConfiguration must be specified.")},
		{"H.12", create("a.b", func(in *sdk.CreateDomainNameInput) { in.Tags = map[string]string{"aws:x": "1"} }),
			badRequest(`Invalid tag key "aws:x": keys that begin with aws: are reserved.`)},
	})
}

func TestAPIMappingErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.APIMappings = 2 })
	h.domain(t, "chat.example.com")
	api := h.staged(t, "dev")
	domain := new("chat.example.com")
	create := func(key string, change func(*sdk.CreateApiMappingInput)) func(context.Context) error {
		in := &sdk.CreateApiMappingInput{DomainName: domain, ApiId: &api, Stage: new("dev"), ApiMappingKey: &key}
		change(in)
		return call(h.CreateApiMapping, in)
	}
	unchanged := func(*sdk.CreateApiMappingInput) {}
	const noMapping = "The api mapping resource specified in the request was not found."
	first := must(t, h.CreateApiMapping, &sdk.CreateApiMappingInput{DomainName: domain, ApiId: &api, Stage: new("dev"), ApiMappingKey: new("a")})
	refuse(t, []errorCase{
		{"H.2", create("b", func(in *sdk.CreateApiMappingInput) { in.DomainName = new("a.b") }), missing("The domain name resource specified in the request was not found.")},
		{"H.2", create("b", func(in *sdk.CreateApiMappingInput) { in.ApiId = new("nothere") }), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", create("b", func(in *sdk.CreateApiMappingInput) { in.Stage = new("prod") }), missing("Invalid stage identifier specified")},
		{"H.2", call(h.GetApiMapping, &sdk.GetApiMappingInput{DomainName: domain, ApiMappingId: new("nothere")}), missing(noMapping)},
		{"H.2", call(h.DeleteApiMapping, &sdk.DeleteApiMappingInput{DomainName: domain, ApiMappingId: new("nothere")}), missing(noMapping)},
		{"H.10", create("a", unchanged), conflict("ApiMapping key already exists for this domain name")},
		{"H.10", create("a/b", unchanged), badRequest("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()")},
		{"H.10", create(strings.Repeat("a", 301), unchanged), badRequest("Invalid value for apiMappingKey: it must have at most 300 characters.")},
		{"H.10", call(h.DeleteApi, &sdk.DeleteApiInput{ApiId: &api}),
			badRequest("Deleting API " + api + " failed. Please remove all API mappings for the API from your custom domain names.")},
		{"H.10", call(h.DeleteStage, &sdk.DeleteStageInput{ApiId: &api, StageName: new("dev")}),
			badRequest("Deleting stage dev failed. Please remove all API mappings for the stage from your custom domain names.")},
	})
	must(t, h.CreateApiMapping, &sdk.CreateApiMappingInput{DomainName: domain, ApiId: &api, Stage: new("dev"), ApiMappingKey: new("b$-_.+!*'()")})
	refuse(t, []errorCase{
		{"H.2", create("c", unchanged), failure{429, "TooManyRequestsException",
			"Maximum number of ApiMappings for this domain name has been reached. Please contact AWS if you need additional ApiMappings."}},
		{"H.10", call(h.UpdateApiMapping, &sdk.UpdateApiMappingInput{DomainName: domain, ApiMappingId: first.ApiMappingId, ApiId: &api, ApiMappingKey: new("b$-_.+!*'()")}),
			conflict("ApiMapping key already exists for this domain name")},
	})
	must(t, h.DeleteDomainName, &sdk.DeleteDomainNameInput{DomainName: domain})
	must(t, h.DeleteApi, &sdk.DeleteApiInput{ApiId: &api})
}
