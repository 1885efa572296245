package control

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:chat/invocations"

func driveIntegration(t *testing.T, h *harness) {
	api := h.api(t)
	created := must(t, h.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: &api, IntegrationType: types.IntegrationTypeHttp, IntegrationUri: new("https://example.com/{room}"), IntegrationMethod: new("POST"),
		ConnectionType: types.ConnectionTypeVpcLink, ConnectionId: new(h.link(t)), ContentHandlingStrategy: types.ContentHandlingStrategyConvertToText,
		CredentialsArn: new("arn:aws:iam::123456789012:role/door"), Description: new("rooms"),
		RequestParameters:           map[string]string{"integration.request.path.room": "route.request.body.room"},
		RequestTemplates:            map[string]string{"$default": "$input.body"},
		TemplateSelectionExpression: new(`\$default`),
	})
	id := created.IntegrationId
	must(t, h.UpdateIntegration, &sdk.UpdateIntegrationInput{ApiId: &api, IntegrationId: id, TimeoutInMillis: new(int32(51))})
	got := must(t, h.GetIntegration, &sdk.GetIntegrationInput{ApiId: &api, IntegrationId: id})
	if *got.TimeoutInMillis != 51 || *got.IntegrationResponseSelectionExpression != "${integration.response.statuscode}" {
		t.Errorf("integration %+v", got)
	}
	h.integration(t, api)
	if page := must(t, h.GetIntegrations, &sdk.GetIntegrationsInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteIntegration, &sdk.DeleteIntegrationInput{ApiId: &api, IntegrationId: id})
}

// What new integrations look like: section H.5.
func TestCreateIntegration(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	got := must(t, h.CreateIntegration, &sdk.CreateIntegrationInput{ApiId: &api, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: new(functionURI)})
	same(t, &sdk.CreateIntegrationOutput{
		ConnectionType: "INTERNET", IntegrationId: got.IntegrationId, IntegrationMethod: new("POST"), IntegrationType: "AWS_PROXY",
		IntegrationUri: new(functionURI), PassthroughBehavior: "WHEN_NO_MATCH", PayloadFormatVersion: new("1.0"), TimeoutInMillis: new(int32(29000)),
	}, got)
	if len(*got.IntegrationId) != 7 {
		t.Errorf("id %q (section B.1)", *got.IntegrationId)
	}
	for _, test := range []struct {
		in   sdk.CreateIntegrationInput
		want string
	}{
		{sdk.CreateIntegrationInput{IntegrationType: "MOCK"}, "${integration.response.statuscode}"},
		{sdk.CreateIntegrationInput{IntegrationType: "MOCK", IntegrationUri: new("")}, "${integration.response.statuscode}"},
		{sdk.CreateIntegrationInput{IntegrationType: "AWS", IntegrationUri: new(functionURI)}, "${integration.response.body.errorMessage}"},
	} {
		test.in.ApiId = &api
		if got := must(t, h.CreateIntegration, &test.in); *got.IntegrationResponseSelectionExpression != test.want {
			t.Errorf("%s: %s", test.in.IntegrationType, *got.IntegrationResponseSelectionExpression)
		}
	}
}

// An empty request parameter is removed, the others stay: section H.11. Stage
// variables may stand in URIs and roles: section H.8.
func TestUpdateIntegration(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	created := must(t, h.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: &api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("POST"),
		IntegrationUri:    new("https://${stageVariables.host}/x"),
		CredentialsArn:    new("arn:aws:iam::123456789012:role/${stageVariables.role}"),
		RequestParameters: map[string]string{"integration.request.header.a": "'1'", "integration.request.header.b": "'2'"},
	})
	got := must(t, h.UpdateIntegration, &sdk.UpdateIntegrationInput{
		ApiId: &api, IntegrationId: created.IntegrationId, CredentialsArn: new(""),
		RequestParameters: map[string]string{"integration.request.header.a": "", "integration.request.header.c": "'3'"},
	})
	same(t, map[string]string{"integration.request.header.b": "'2'", "integration.request.header.c": "'3'"}, got.RequestParameters)
	if got.CredentialsArn != nil {
		t.Errorf("credentials %s", *got.CredentialsArn)
	}
}

func driveIntegrationResponse(t *testing.T, h *harness) {
	api := h.api(t)
	integration := h.integration(t, api)
	created := must(t, h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{
		ApiId: &api, IntegrationId: &integration, IntegrationResponseKey: new("/2\\d\\d/"),
		ContentHandlingStrategy: types.ContentHandlingStrategyConvertToText, TemplateSelectionExpression: new(`\$default`),
		ResponseTemplates: map[string]string{"$default": "$input.json('$')"},
	})
	id := created.IntegrationResponseId
	if len(*id) != 6 {
		t.Errorf("id %q (section H.6)", *id)
	}
	must(t, h.UpdateIntegrationResponse, &sdk.UpdateIntegrationResponseInput{
		ApiId: &api, IntegrationId: &integration, IntegrationResponseId: id, IntegrationResponseKey: new("$default"),
		ResponseParameters: map[string]string{"route.response.header.a": "'1'"},
	})
	must(t, h.GetIntegrationResponse, &sdk.GetIntegrationResponseInput{ApiId: &api, IntegrationId: &integration, IntegrationResponseId: id})
	must(t, h.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{ApiId: &api, IntegrationId: &integration, IntegrationResponseKey: new("/200/")})
	if page := must(t, h.GetIntegrationResponses, &sdk.GetIntegrationResponsesInput{ApiId: &api, IntegrationId: &integration, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteIntegrationResponse, &sdk.DeleteIntegrationResponseInput{ApiId: &api, IntegrationId: &integration, IntegrationResponseId: id})
}
