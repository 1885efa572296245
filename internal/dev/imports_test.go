package dev

import (
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// What other stacks export is given at the start, and loops are written out: a
// stage by an import, and a stage and a route for each value.
func TestDevImportsAndLoops(t *testing.T) {
	t.Parallel()
	const template = `Transform: AWS::LanguageExtensions
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: looped, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Key:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK, RequestTemplates: {$default: '{"statusCode": 200}'}}
  Answer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref Api, IntegrationId: !Ref Key, IntegrationResponseKey: $default, ResponseTemplates: {$default: "$context.stage/$context.routeKey"}}
  Fn::ForEach::Routes:
    - Action
    - [join, leave]
    - "Route${Action}":
        Type: AWS::ApiGatewayV2::Route
        Properties: {ApiId: !Ref Api, RouteKey: !Ref Action, Target: !Sub "integrations/${Key}"}
      "Response${Action}":
        Type: AWS::ApiGatewayV2::RouteResponse
        Properties: {ApiId: !Ref Api, RouteId: !Ref "Route${Action}", RouteResponseKey: $default}
  Imported:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: !ImportValue network-stage, AutoDeploy: true}
`
	a := start(t, template, func(c *Config) {
		c.Imports = map[string]string{"network-stage": "live"}
	})
	for _, key := range []string{"join", "leave"} {
		if got := gatewaytest.Ask(t, a.dial(t, "/live"), `{"action":"`+key+`"}`); got != "live/"+key {
			t.Errorf("%s: %q", key, got)
		}
	}
}
