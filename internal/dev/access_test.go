package dev

import (
	"context"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

const guardedTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Name: guarded
      StageName: dev
      RouteSelectionExpression: $request.body.action
      ApiKeySelectionExpression: $context.authorizer.usageIdentifierKey
      Auth: {AuthType: CUSTOM, AuthArn: !GetAtt Gate.Arn, IdentitySource: [route.request.querystring.token]}
      DefaultRouteSettings: {ThrottlingRateLimit: 0.0001, ThrottlingBurstLimit: 6}
      Routes:
        $connect: {FunctionArn: !GetAtt Who.Arn, ApiKeyRequired: true}
        who: {FunctionArn: !GetAtt Who.Arn}
  WhoResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiWhoRoute, RouteResponseKey: $default}
  Gate:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      InlineCode: |
        exports.handler = async (event) => {
          const token = event.queryStringParameters.token
          if (token === 'unknown') throw new Error('Unauthorized')
          return {
            principalId: token, usageIdentifierKey: token === 'keyless' ? 'nobody-knows-this-api-key' : '0123456789abcdefghij',
            policyDocument: { Version: '2012-10-17', Statement: [{ Effect: token === 'bad' ? 'Deny' : 'Allow', Action: 'execute-api:Invoke', Resource: event.methodArn }] },
            context: { level: 7 },
          }
        }
  Who:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      InlineCode: |
        exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext.authorizer ?? null) })
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: true, Value: 0123456789abcdefghij}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {ApiStages: [{ApiId: !Ref Api, Stage: dev}]}
  PlanKey:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
`

// A template's authorizer, API keys and throttles are those of the application.
func TestDevAccess(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node to run the functions with")
	}
	a := start(t, guardedTemplate)
	if len(a.Problems) > 0 || len(a.Notices) > 0 {
		t.Errorf("problems %v, notices %v", a.Problems, a.Notices)
	}
	for query, status := range map[string]int{"": 401, "?token=unknown": 401, "?token=bad": 403, "?token=keyless": 403} {
		if _, response, err := try(t, a, "/dev"+query); response == nil || response.StatusCode != status {
			t.Errorf("%s: %v %v, want %d", query, response, err, status)
		}
	}
	c := a.dial(t, "/dev?token=ada")
	if got := gatewaytest.Ask(t, c, `{"action":"who"}`); got != `{"principalId":"ada","level":"7"}` && got != `{"level":"7","principalId":"ada"}` {
		t.Errorf("the function sees %s", got)
	}
	if got := gatewaytest.Ask(t, c, `{"action":"who"}`); !strings.Contains(got, "Too Many Requests") {
		t.Errorf("the seventh event: %s", got)
	}
}

// try opens a connection, perhaps in vain.
func try(t *testing.T, a *app, path string, header ...http.Header) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Timeout)
	defer cancel()
	options := &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient}
	if len(header) > 0 {
		options.HTTPHeader = header[0]
	}
	c, response, err := websocket.Dial(ctx, strings.Replace(a.Public, "http", "ws", 1)+path, options)
	if err == nil {
		t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, response, err
}

// dev asks for no signatures, and says so.
func TestDevIsOpen(t *testing.T) {
	t.Parallel()
	a := start(t, strings.Replace(mocks("hello=Mock"), "Resources:", `Resources:
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: AWS_IAM}`, 1))
	a.dial(t, "/dev")
	if len(a.Notices) != 1 || !strings.Contains(a.Notices[0].String(), "signatures are not checked here: everybody may connect") {
		t.Errorf("notices %v", a.Notices)
	}
}
