package control

import (
	"context"
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// errorCase is a request that is refused, the section of the specification that
// has the words, and what comes back.
type errorCase struct {
	section string
	do      func(context.Context) error
	want    failure
}

// refuse runs error cases one after the other.
func refuse(t *testing.T, cases []errorCase) {
	t.Helper()
	for _, c := range cases {
		err := c.do(t.Context())
		if err == nil {
			t.Errorf("%s: %q did not come", c.section, c.want.Message)
			continue
		}
		if diff := cmp.Diff(c.want, failureOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.section, diff)
		}
	}
}

func badRequest(message string) failure { return failure{400, "BadRequestException", message} }
func missing(message string) failure    { return failure{404, "NotFoundException", message} }
func conflict(message string) failure   { return failure{409, "ConflictException", message} }

// used is for quotas.
func used(what, owner string) failure {
	return failure{429, "TooManyRequestsException", "Maximum number of " + what + " for this " + owner + " has been reached. Please contact AWS if you need additional " + what + "."}
}

func TestAPIErrors(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	id := h.api(t)
	create := func(change func(*sdk.CreateApiInput)) func(context.Context) error {
		in := &sdk.CreateApiInput{Name: new("chat"), ProtocolType: "WEBSOCKET", RouteSelectionExpression: new("$request.body.action")}
		change(in)
		return call(h.CreateApi, in)
	}
	refuse(t, []errorCase{
		{"H.2", call(h.GetApi, &sdk.GetApiInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", call(h.UpdateApi, &sdk.UpdateApiInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", call(h.DeleteApi, &sdk.DeleteApiInput{ApiId: new("nothere")}), missing("Invalid API identifier specified 123456789012:nothere")},
		{"H.2", create(func(in *sdk.CreateApiInput) { in.ProtocolType = "MQTT" }), badRequest("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]")},
		{"H.3", create(func(in *sdk.CreateApiInput) { in.ProtocolType = "HTTP" }),
			failure{501, "NotImplementedException", "Protocol HTTP is not available: this is Stagedoor, a gateway for WebSocket APIs."}},
		{"H.3", create(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = nil }), badRequest("RouteSelectionExpression is required for WEBSOCKET protocol Apis.")},
		{"H.3", create(func(in *sdk.CreateApiInput) { in.Name = new("") }), badRequest("Invalid value for name: it must have between 1 and 128 characters.")},
		{"H.3", create(func(in *sdk.CreateApiInput) { in.Version = new("") }), badRequest("Invalid value for version: it must have between 1 and 64 characters.")},
		{"H.3", create(func(in *sdk.CreateApiInput) { in.Target = new(functionURI) }),
			badRequest("CorsConfiguration, Target, RouteKey and CredentialsArn cannot be set for WEBSOCKET protocol Apis.")},
		{"L.1", create(func(in *sdk.CreateApiInput) { in.IpAddressType = "ipv6" }), badRequest("Invalid ipAddressType specified. Must be one of [ipv4, dualstack]")},
		{"C.1", create(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = new("$request.header.x") }),
			badRequest(`Invalid route selection expression "$request.header.x": variable $request.header.x is not known here; it must be $request.body.{path} or text without a variable`)},
		{"C.1", create(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = new("$request.body.") }),
			badRequest(`Invalid route selection expression "$request.body.": a path must not end with a dot`)},
		{"C.1", create(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = new("$request.body.a.") }),
			badRequest(`Invalid route selection expression "$request.body.a.": a path must not end with a dot`)},
		{"C.1", create(func(in *sdk.CreateApiInput) { in.RouteSelectionExpression = new("$request.body.a[") }),
			badRequest(`Invalid route selection expression "$request.body.a[": $request.body.a[ has no ] behind it`)},
		{"H.12", create(func(in *sdk.CreateApiInput) { in.Tags = map[string]string{"aws:x": "1"} }),
			badRequest(`Invalid tag key "aws:x": keys that begin with aws: are reserved.`)},
		{"H.3", call(h.UpdateApi, &sdk.UpdateApiInput{ApiId: &id, Name: new("")}), badRequest("Invalid value for name: it must have between 1 and 128 characters.")},
		{"H.1", call(h.GetApis, &sdk.GetApisInput{MaxResults: new("many")}), badRequest("Invalid maxResults specified: many")},
		{"H.1", call(h.GetApis, &sdk.GetApisInput{NextToken: new("%")}), badRequest("Invalid nextToken specified: %")},
		{"H.12", call(h.GetApis, &sdk.GetApisInput{NextToken: new("YWJjZGVmZ2hpams")}), badRequest("Invalid nextToken specified: YWJjZGVmZ2hpams")},
		{"H.12", call(h.GetApis, &sdk.GetApisInput{NextToken: new("YQ")}), badRequest("Invalid nextToken specified: YQ")},
	})
}

func TestRouteErrors(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	join := h.route(t, api, "join")
	integration := h.integration(t, api)
	create := func(key string, change func(*sdk.CreateRouteInput)) func(context.Context) error {
		in := &sdk.CreateRouteInput{ApiId: &api, RouteKey: &key}
		change(in)
		return call(h.CreateRoute, in)
	}
	const restricted = "Currently, authorization is restricted to the $connect route only"
	authorizer := h.authorizer(t, api)
	custom := func(in *sdk.CreateRouteInput) { in.AuthorizationType, in.AuthorizerId = "CUSTOM", &authorizer }
	plain := func(*sdk.CreateRouteInput) {}
	refuse(t, []errorCase{
		{"H.2", call(h.GetRoute, &sdk.GetRouteInput{ApiId: &api, RouteId: new("nothere")}), missing("Invalid Route identifier specified nothere")},
		{"H.2", call(h.DeleteRoute, &sdk.DeleteRouteInput{ApiId: &api, RouteId: new("nothere")}), missing("Invalid Route identifier specified nothere")},
		{"H.2", create("join", plain), conflict("Route with key join already exists for this API")},
		{"H.2", create("leave", custom), badRequest(restricted)},
		{"H.2", create("$disconnect", custom), badRequest(restricted)},
		{"H.2", create("$default", custom), badRequest(restricted)},
		{"M.15", create("leave", func(in *sdk.CreateRouteInput) { in.AuthorizationType = "AWS_IAM" }), badRequest(restricted)},
		{"H.2", call(h.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &api, RouteId: &join, AuthorizationType: "CUSTOM", AuthorizerId: &authorizer}), badRequest(restricted)},
		{"H.4", create("$connect", func(in *sdk.CreateRouteInput) { in.AuthorizationType = "JWT" }), badRequest("Authorization type JWT cannot be set for WEBSOCKET protocol Apis.")},
		{"H.4", create("$connect", func(in *sdk.CreateRouteInput) { in.AuthorizationType = "CUSTOM" }), badRequest("AuthorizerId is required for authorization type CUSTOM")},
		{"H.2", create("$connect", func(in *sdk.CreateRouteInput) { in.AuthorizationType, in.AuthorizerId = "CUSTOM", new("nobody") }),
			missing("Invalid Authorizer identifier specified")},
		{"H.4", create("$conect", plain),
			badRequest("Invalid route key specified: $conect. Keys that begin with $ are reserved. Must be one of [$connect, $disconnect, $default] or a custom key")},
		{"H.4", create("leave", func(in *sdk.CreateRouteInput) { in.Target = new("lambda") }),
			badRequest("Invalid target specified: lambda. The format must be integrations/{integrationId}")},
		{"H.2", create("leave", func(in *sdk.CreateRouteInput) { in.Target = new("integrations/nothere") }), missing("Invalid Integration identifier specified nothere")},
		{"H.2", create("leave", func(in *sdk.CreateRouteInput) { in.RequestModels = map[string]string{"a": "Nothing"} }), missing("Invalid Model identifier specified Nothing")},
		{"C.1", create("leave", func(in *sdk.CreateRouteInput) { in.RouteResponseSelectionExpression = new("$request.body.a") }),
			badRequest(`Invalid route response selection expression "$request.body.a": variable $request.body.a is not known here; it must be $default`)},
		{"H.4", create("leave", func(in *sdk.CreateRouteInput) { in.AuthorizationScopes = []string{"a"} }),
			badRequest("AuthorizationScopes cannot be set for WEBSOCKET protocol Apis.")},
		{"H.4", call(h.DeleteRouteRequestParameter, &sdk.DeleteRouteRequestParameterInput{ApiId: &api, RouteId: &join, RequestParameterKey: new("route.request.header.a")}),
			missing("Invalid RequestParameter identifier specified route.request.header.a")},
		{"D.4", call(h.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: &api, RouteId: &join, RouteResponseKey: new("200")}),
			badRequest("Invalid route response key specified: 200. Must be $default")},
		{"H.2", call(h.GetRouteResponse, &sdk.GetRouteResponseInput{ApiId: &api, RouteId: &join, RouteResponseId: new("nothere")}),
			missing("Invalid RouteResponse identifier specified nothere")},
	})
	must(t, h.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &api, RouteId: &join, Target: new("integrations/" + integration)})
	must(t, h.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: &api, RouteId: &join, RouteResponseKey: new("$default")})
	refuse(t, []errorCase{
		{"H.2", call(h.DeleteIntegration, &sdk.DeleteIntegrationInput{ApiId: &api, IntegrationId: &integration}),
			conflict("Cannot delete Integration because it is referenced by the following Routes with Ids: [" + join + "]")},
		{"D.4", call(h.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: &api, RouteId: &join, RouteResponseKey: new("$default")}),
			conflict("RouteResponse with key $default already exists for this Route")},
	})
}

// Mappings that cannot be compiled.
var (
	badParameters = map[string]string{"integration.request.header.a": "body.x"}
	badTemplates  = map[string]string{"$default": "#if(true)"}
)

// requestMistake is what package mapping finds wrong with a request's mapping.
func requestMistake(i *apigw.Integration) string {
	_, err := mapping.CompileRequest(i)
	return fmt.Sprint(err)
}

// responseMistake is what package mapping finds wrong with a response's key.
func responseMistake(key string) string {
	_, err := mapping.CompileResponses(&apigw.Integration{IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseKey: key}}})
	return fmt.Sprint(err)
}

func TestIntegrationErrors(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	mock := h.integration(t, api)
	create := func(kind types.IntegrationType, uri string, change func(*sdk.CreateIntegrationInput)) func(context.Context) error {
		in := &sdk.CreateIntegrationInput{ApiId: &api, IntegrationType: kind, IntegrationMethod: new("POST")}
		if uri != "" {
			in.IntegrationUri = &uri
		}
		if change != nil {
			change(in)
		}
		return call(h.CreateIntegration, in)
	}
	response := func(key string) func(context.Context) error {
		return call(h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{ApiId: &api, IntegrationId: &mock, IntegrationResponseKey: &key})
	}
	must(t, h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{ApiId: &api, IntegrationId: &mock, IntegrationResponseKey: new("$default")})
	refuse(t, []errorCase{
		{"H.2", call(h.GetIntegration, &sdk.GetIntegrationInput{ApiId: &api, IntegrationId: new("nothere")}), missing("Invalid Integration identifier specified nothere")},
		{"H.5", create("FTP", "", nil), badRequest("Invalid integrationType specified. Must be one of [AWS, HTTP, MOCK, HTTP_PROXY, AWS_PROXY]")},
		{"H.5", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.PayloadFormatVersion = new("2.0") }),
			badRequest("PayloadFormatVersion must be 1.0 for WEBSOCKET protocol Apis.")},
		{"D.1", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.TimeoutInMillis = new(int32(29001)) }), badRequest("Timeout should be between 50 ms and 29000 ms")},
		{"D.1", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.TimeoutInMillis = new(int32(49)) }),
			badRequest("Invalid value for timeoutInMillis: it must be between 50 and 30000.")},
		{"H.5", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.IntegrationSubtype = new("SQS-SendMessage") }),
			badRequest("IntegrationSubtype, TlsConfig and ResponseParameters cannot be set for WEBSOCKET protocol Apis.")},
		{"D.2", create("AWS_PROXY", "arn:aws:apigateway:us-east-1:sqs:action/SendMessage", nil),
			badRequest("Integrations of type 'AWS_PROXY' currently only supports Lambda function invocations.")},
		{"D.2", create("AWS_PROXY", functionURI, func(in *sdk.CreateIntegrationInput) { in.IntegrationMethod = new("GET") }),
			badRequest("Integrations of type AWS_PROXY must have the method POST.")},
		{"H.5", create("HTTP", "https://example.com", func(in *sdk.CreateIntegrationInput) { in.IntegrationMethod = nil }),
			badRequest("IntegrationMethod is required for integration type HTTP")},
		{"H.5", create("HTTP", "example.com", nil), badRequest("Invalid HTTP endpoint specified for URI: example.com")},
		{"H.5", create("HTTP", "https://example.com", func(in *sdk.CreateIntegrationInput) { in.ConnectionType = "VPC_LINK" }),
			badRequest("ConnectionId is required for connection type VPC_LINK")},
		{"D.1", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.RequestParameters = badParameters }),
			badRequest(requestMistake(&apigw.Integration{RequestParameters: badParameters}))},
		{"E.3", create("MOCK", "", func(in *sdk.CreateIntegrationInput) { in.RequestTemplates = badTemplates }),
			badRequest(requestMistake(&apigw.Integration{RequestTemplates: badTemplates}))},
		{"D.1", create("AWS", functionURI, func(in *sdk.CreateIntegrationInput) { in.CredentialsArn = new("me") }),
			badRequest(`CredentialsArn "me" is not the ARN of a role`)},
		{"D.3", response("/(/"), badRequest(responseMistake("/(/"))},
		{"H.2", response("$default"), conflict("IntegrationResponse with key $default already exists for this Integration")},
		{"H.2", call(h.GetIntegrationResponse, &sdk.GetIntegrationResponseInput{ApiId: &api, IntegrationId: &mock, IntegrationResponseId: new("nothere")}),
			missing("Invalid IntegrationResponse identifier specified nothere")},
	})
}

// A quota that is used up is a 429: sections H.2, M.20.
func TestQuotas(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) {
		o.Quotas = Quotas{APIs: 1, Routes: 1, Integrations: 1, IntegrationResponses: 1, Tags: 1}
	})
	api := h.api(t)
	h.route(t, api, "join")
	integration := h.integration(t, api)
	must(t, h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{ApiId: &api, IntegrationId: &integration, IntegrationResponseKey: new("$default")})
	refuse(t, []errorCase{
		{"H.3", call(h.CreateApi, &sdk.CreateApiInput{Name: new("b"), ProtocolType: "WEBSOCKET", RouteSelectionExpression: new("$request.body.a")}), used("APIs", "account")},
		{"H.3", call(h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("leave")}), used("Routes", "API")},
		{"H.3", call(h.CreateIntegration, &sdk.CreateIntegrationInput{ApiId: &api, IntegrationType: "MOCK"}), used("Integrations", "API")},
		{"H.3", call(h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{ApiId: &api, IntegrationId: &integration, IntegrationResponseKey: new("/2../")}),
			used("IntegrationResponses", "Integration")},
	})
}

// A refused member leaves all others as they were: section H.1.
func TestUpdatesAreAtomic(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	id := h.api(t)
	before := must(t, h.GetApi, &sdk.GetApiInput{ApiId: &id})
	_, revision, _ := h.store.APIs.Get(t.Context(), id)
	_, err := h.UpdateApi(t.Context(), &sdk.UpdateApiInput{ApiId: &id, Name: new("other"), RouteSelectionExpression: new("$context.x")})
	if err == nil {
		t.Fatal("the expression was taken")
	}
	same(t, before, must(t, h.GetApi, &sdk.GetApiInput{ApiId: &id}))
	if _, now, _ := h.store.APIs.Get(t.Context(), id); now != revision {
		t.Errorf("revision %d, want %d", now, revision)
	}
}

// What the SDK makes of resourceType and limitType: section H.1.
func TestErrorMembers(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.Routes = 1 })
	api := h.api(t)
	h.route(t, api, "join")
	for path, want := range map[string]string{
		"/v2/apis/" + api + "/routes/nothere": `{"message":"Invalid Route identifier specified nothere","resourceType":"Route"}`,
		"/v2/apis/nothere":                    `{"message":"Invalid API identifier specified 123456789012:nothere","resourceType":"Api"}`,
	} {
		if got := h.text(t, "GET", path, ""); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	want := `{"message":"Maximum number of Routes for this API has been reached. Please contact AWS if you need additional Routes.","limitType":"Routes"}`
	if got := h.text(t, "POST", "/v2/apis/"+api+"/routes", `{"routeKey":"leave"}`); got != want {
		t.Error(got)
	}
}

// A record that another version wrote is reported with its key, and left alone.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	if _, err := h.store.Store.Put(t.Context(), h.store.APIs.Key("future"), []byte(`{"version":99,"value":{}}`), 0); err != nil {
		t.Fatal(err)
	}
	refuse(t, []errorCase{{"no section", call(h.UpdateApi, &sdk.UpdateApiInput{ApiId: new("future")}), failure{500, "InternalServerErrorException",
		"the configuration's record api.future (revision 1) cannot be read and is left alone: it was written by a later version of Stagedoor: its version is 99, the highest known here is 1"}}})
	var none *apigw.API
	if got, _, err := h.store.APIs.Get(t.Context(), "future"); err == nil || got != none {
		t.Errorf("%v %v", got, err)
	}
}
