package deploy

import (
	"slices"
	"testing"
)

// What check lets through, a gateway takes, once and for all: a model that is not
// to be checked, an empty URI of a mock, a plain ARN, a stage with AutoDeploy and
// a deployment, one named $default, and logs without a role of the account.
func TestTakesWhatCheckTakes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := load(t, "taken", `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: taken, ProtocolType: WEBSOCKET, RouteSelectionExpression: "$request.body.[2]", DisableSchemaValidation: true}
  Model:
    Type: AWS::ApiGatewayV2::Model
    Properties: {ApiId: !Ref Api, Name: Bad, Schema: {type: strin}}
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK, IntegrationUri: "", RequestTemplates: {application/json: '{"statusCode":200}'}, TemplateSelectionExpression: '\$default'}
  Answer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref Api, IntegrationId: !Ref Mock, IntegrationResponseKey: $default, ResponseTemplates: {$default: "mocked"}}
  Plain:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: "arn:aws:lambda:us-east-1:123456789012:function:chat"}
  Boot:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: BootNotification, Target: !Sub "integrations/${Mock}"}
  BootResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Boot, RouteResponseKey: $default}
  Other:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Plain}", RequestModels: {$default: Bad}}
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    Properties: {ApiId: !Ref Api}
  Both:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: both
      AutoDeploy: true
      DeploymentId: !Ref Deployment
      AccessLogSettings: {DestinationArn: "arn:aws:logs:us-east-1:123456789012:log-group:x", Format: $context.requestId}
      DefaultRouteSettings: {LoggingLevel: ERROR}
  Default:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}
`)
	got := s.apply(want)
	if !slices.Contains(got, "update Account: cloudwatchRoleArn") {
		t.Errorf("the account gets no role: %v", got)
	}
	for _, stage := range []string{"both", "$default"} {
		client := s.Dial(path(s.only("taken").id, stage))
		client.Send(`[2,"1","BootNotification",{}]`)
		if got := client.Receive(); got != "mocked" {
			t.Errorf("%s answers %s", stage, got)
		}
	}
	s.settled(want)
	if got := s.apply(want); len(got) > 0 {
		t.Errorf("the second deployment did %v", got)
	}
}
