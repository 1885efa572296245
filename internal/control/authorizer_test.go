package control

import (
	"context"
	"io"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func driveAuthorizer(t *testing.T, h *harness) {
	api := h.api(t)
	created := must(t, h.CreateAuthorizer, &sdk.CreateAuthorizerInput{
		ApiId: &api, Name: new("door"), AuthorizerType: types.AuthorizerTypeRequest, AuthorizerUri: new(functionURI),
		AuthorizerCredentialsArn:     new("arn:aws:iam::123456789012:role/door"),
		IdentitySource:               []string{"route.request.header.Auth", "context.identity.sourceIp, stageVariables.door"},
		IdentityValidationExpression: new("[a-z]+"),
	})
	id := created.AuthorizerId
	if len(*id) != 6 {
		t.Errorf("id %q (section B.1)", *id)
	}
	updated := must(t, h.UpdateAuthorizer, &sdk.UpdateAuthorizerInput{ApiId: &api, AuthorizerId: id, Name: new("gate")})
	same(t, sdk.GetAuthorizerOutput(*updated), *must(t, h.GetAuthorizer, &sdk.GetAuthorizerInput{ApiId: &api, AuthorizerId: id}))
	h.authorizer(t, api)
	if page := must(t, h.GetAuthorizers, &sdk.GetAuthorizersInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	h.stage(t, api, "dev")
	must(t, h.ResetAuthorizersCache, &sdk.ResetAuthorizersCacheInput{ApiId: &api, StageName: new("dev")})
	must(t, h.DeleteAuthorizer, &sdk.DeleteAuthorizerInput{ApiId: &api, AuthorizerId: id})
}

// What a new authorizer looks like, and what emptying its members does: spec
// H.11, I.1.
func TestUpdateAuthorizer(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	created := must(t, h.CreateAuthorizer, &sdk.CreateAuthorizerInput{
		ApiId: &api, Name: new("door"), AuthorizerType: types.AuthorizerTypeRequest, AuthorizerUri: new(functionURI),
		IdentitySource: []string{"route.request.querystring.token"},
	})
	same(t, &sdk.CreateAuthorizerOutput{
		AuthorizerId: created.AuthorizerId, AuthorizerType: "REQUEST", AuthorizerUri: new(functionURI),
		IdentitySource: []string{"route.request.querystring.token"}, Name: new("door"),
	}, created)
	must(t, h.UpdateAuthorizer, &sdk.UpdateAuthorizerInput{
		ApiId: &api, AuthorizerId: created.AuthorizerId,
		AuthorizerCredentialsArn: new("arn:aws:iam::123456789012:role/door"), IdentityValidationExpression: new(".*"),
	})
	got := must(t, h.UpdateAuthorizer, &sdk.UpdateAuthorizerInput{
		ApiId: &api, AuthorizerId: created.AuthorizerId,
		AuthorizerCredentialsArn: new(""), IdentityValidationExpression: new(""), IdentitySource: []string{},
	})
	same(t, &sdk.UpdateAuthorizerOutput{
		AuthorizerId: created.AuthorizerId, AuthorizerType: "REQUEST", AuthorizerUri: new(functionURI), Name: new("door"),
	}, got)
}

// identitySource may be missing, empty, or a list of an empty text: section I.1.
func TestNoIdentitySource(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	path := "/v2/apis/" + h.api(t) + "/authorizers"
	for _, source := range []string{"", `,"identitySource":[]`, `,"identitySource":[""]`} {
		response := h.send(t, "POST", path, `{"name":"door","authorizerType":"REQUEST","authorizerUri":"`+functionURI+`"`+source+`}`)
		if body, _ := io.ReadAll(response.Body); response.StatusCode != 201 {
			t.Errorf("%q: %d %s", source, response.StatusCode, body)
		}
	}
}

func TestAuthorizerErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.Authorizers = 1 })
	api := h.api(t)
	door := h.authorizer(t, api)
	update := func(change func(*sdk.UpdateAuthorizerInput)) func(context.Context) error {
		in := &sdk.UpdateAuthorizerInput{ApiId: &api, AuthorizerId: &door}
		change(in)
		return call(h.UpdateAuthorizer, in)
	}
	const onlyRequest = "Invalid authorizer type. Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."
	source := func(text string) failure {
		return badRequest("Invalid request identity source expression: " + text + ". The sources must be separated by comma, and each source must be either " +
			"a request parameter, matching 'route.request.querystring|header.[a-zA-Z0-9._-]+', or a stage variable, matching 'stageVariables.[a-zA-Z0-9._-]+', " +
			"or a context parameter, matching 'context.[a-zA-Z0-9._-]+'")
	}
	refuse(t, []errorCase{
		{"H.2", call(h.GetAuthorizer, &sdk.GetAuthorizerInput{ApiId: &api, AuthorizerId: new("nothere")}), missing("Invalid Authorizer identifier specified")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerType = "JWT" }), badRequest(onlyRequest)},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerType = "TOKEN" }), badRequest(onlyRequest)},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerPayloadFormatVersion = new("1.0") }),
			badRequest("AuthorizerPayloadFormatVersion cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerPayloadFormatVersion = new("") }),
			badRequest("AuthorizerPayloadFormatVersion cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerResultTtlInSeconds = new(int32(0)) }),
			badRequest("AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerResultTtlInSeconds = new(int32(3601)) }),
			badRequest("AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.EnableSimpleResponses = new(false) }),
			badRequest("EnableSimpleResponses cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.JwtConfiguration = &types.JWTConfiguration{} }),
			badRequest("JwtConfiguration cannot be set for WEBSOCKET protocol Apis.")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerCredentialsArn = new("me") }), badRequest("Invalid role ARN")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.AuthorizerUri = new("https://example.com") }), badRequest("Invalid authorizer URI")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.IdentityValidationExpression = new("[a") }), badRequest("Invalid validation expression: [a")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) { in.IdentitySource = []string{"method.request.header.a"} }), source("method.request.header.a")},
		{"I.1", update(func(in *sdk.UpdateAuthorizerInput) {
			in.IdentitySource = []string{"context.a", "route.request.header."}
		}), source("route.request.header.")},
		{"H.11", call(h.CreateAuthorizer, &sdk.CreateAuthorizerInput{
			ApiId: &api, Name: new("b"), AuthorizerType: "REQUEST", AuthorizerUri: new(functionURI), IdentitySource: []string{}, IdentityValidationExpression: new(""),
		}), badRequest("IdentityValidationExpression must not be empty.")},
		{"H.7", update(func(in *sdk.UpdateAuthorizerInput) { in.Name = new("") }), badRequest("Invalid value for name: it must have between 1 and 128 characters.")},
		{"H.2", call(h.CreateAuthorizer, &sdk.CreateAuthorizerInput{
			ApiId: &api, Name: new("b"), AuthorizerType: "REQUEST", AuthorizerUri: new(functionURI), IdentitySource: []string{},
		}), used("Authorizers", "API")},
		{"H.2", call(h.ResetAuthorizersCache, &sdk.ResetAuthorizersCacheInput{ApiId: &api, StageName: new("nothere")}), missing("Invalid stage identifier specified")},
	})
	must(t, h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("$connect"), AuthorizationType: "CUSTOM", AuthorizerId: &door})
	refuse(t, []errorCase{
		{"H.2", call(h.DeleteAuthorizer, &sdk.DeleteAuthorizerInput{ApiId: &api, AuthorizerId: &door}),
			conflict("Cannot delete authorizer 'door', is referenced in route: $connect")},
	})
}

// JWT authorizers are for APIs that say so by a tag, which holds their settings.
func TestJWTAuthorizer(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	arn := "arn:aws:apigateway:us-east-1::/apis/" + api
	create := func(source string) func(context.Context) error {
		return call(h.CreateAuthorizer, &sdk.CreateAuthorizerInput{ApiId: &api, Name: new("login"), AuthorizerType: "JWT", IdentitySource: []string{source}})
	}
	must(t, h.TagResource, &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"stagedoor:jwt": "audience=chat"}})
	refuse(t, []errorCase{{"no section", create("subprotocol"),
		badRequest("tag stagedoor:jwt: issuer is missing; an example is issuer=https://login.example.com audience=chat")}})
	must(t, h.TagResource, &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"stagedoor:jwt": "issuer=https://login.example.com audience=chat"}})
	refuse(t, []errorCase{{"no section", create("context.a"),
		badRequest("source context.a is not one of route.request.header.{name}, route.request.querystring.{name}, subprotocol")}})
	if err := create("subprotocol")(t.Context()); err != nil {
		t.Error(err)
	}
}
