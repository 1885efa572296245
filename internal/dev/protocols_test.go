package dev

import (
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// routesOf is a template of an API whose routes answer with their keys.
func routesOf(selection string, keys ...string) string {
	var b strings.Builder
	b.WriteString(`Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: arrays, ProtocolType: WEBSOCKET, RouteSelectionExpression: "` + selection + `"}
  Key:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK, IntegrationUri: "", RequestTemplates: {application/json: '{"statusCode": 200}'}, TemplateSelectionExpression: '\$default'}
  KeyAnswer:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties: {ApiId: !Ref Api, IntegrationId: !Ref Key, IntegrationResponseKey: $default, ResponseTemplates: {application/json: "route $context.routeKey"}, TemplateSelectionExpression: '\$default'}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
`)
	for i, key := range keys {
		id := string(rune('A' + i))
		b.WriteString(`  Route` + id + `:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: "` + key + `", Target: !Sub "integrations/${Key}"}
  Answer` + id + `:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route` + id + `, RouteResponseKey: $default}
`)
	}
	return b.String()
}

// Protocols whose messages are JSON arrays, such as OCPP and Nostr, are routed
// by an item, whichever way its path is written. The mock integration is
// written as CDK does.
func TestDevArrayProtocols(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ selection, message, want string }{
		{"$request.body.[0]", `[2,"19223201","BootNotification",{"reason":"PowerUp"}]`, "route 2"},
		{"${request.body.[0]}", `[2,"19223201","BootNotification",{"reason":"PowerUp"}]`, "route 2"},
		{"$request.body[0]", `[2,"19223201","BootNotification",{}]`, "route 2"},
		{"$request.body.[2]", `[2,"19223201","BootNotification",{}]`, "route BootNotification"},
		{"${request.body.[0]}/${request.body.[2]}", `[2,"1","BootNotification",{}]`, "route 2/BootNotification"},
		{"$request.body.[0]", `["EVENT",{"kind":1}]`, "route EVENT"},
		{"$request.body.['action']", `{"action":"EVENT"}`, "route EVENT"},
		{"$request.body.a.[0]", `{"a":["EVENT"]}`, "route EVENT"},
		{"$request.body.[0]", `["REQ","subscription",{}]`, "route $default"},
	} {
		t.Run(c.selection, func(t *testing.T) {
			t.Parallel()
			a := start(t, routesOf(c.selection, "2", "EVENT", "BootNotification", "2/BootNotification", "$default"))
			if got := gatewaytest.Ask(t, a.dial(t, "/dev"), c.message); got != c.want {
				t.Errorf("%s on %s: %q, want %q", c.selection, c.message, got, c.want)
			}
		})
	}
}
