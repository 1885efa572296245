//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// An API of a running gateway is explained as its template is, and neither the gateway's
// backends nor its functions hear of it.
func TestExplainGateway(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(backend.Close)
	template := templateFile(t, strings.ReplaceAll(explainedTemplate, "BACKEND", backend.URL))
	p := start(t, nil, "--config", written(t, "gateway.yaml", "data: data\n"), "--open")
	tool(t, nil, "", "deploy", template, "--gateway", p.Admin, "--yes").expect(t, exitOK)

	response, err := http.Get(p.Admin + "/v2/apis")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var apis struct{ Items []struct{ ApiId string } }
	if err := json.NewDecoder(response.Body).Decode(&apis); err != nil || len(apis.Items) != 1 {
		t.Fatalf("%v, %+v", err, apis)
	}
	id := apis.Items[0].ApiId
	explain := func(args ...string) result {
		return tool(t, nil, "", append([]string{"explain", "--gateway", p.Admin, "--api", id}, args...)...)
	}
	explain("--message", `{"action":"order","item":"cup"}`, "--answer", `{"id":7}`).expect(t, exitOK,
		"order", "POST "+backend.URL+"/orders", `{"item": "cup"}`, "Order fits", `{"ordered": 7}`, "It would be served.")
	explain("--message", `{"action":"order"}`).expect(t, exitAbnormal, `required: "item" is missing`, "400 Invalid request body")
	explain("--message", `{"action":"paid"}`, "--header", "x-api-key: wrong").expect(t, exitAbnormal, "the API key does not exist")
	explain("--message", `{"action":"paid"}`, "--header", "x-api-key: a-key-of-twenty-characters").expect(t, exitOK, "an API key")
	explain("--connect").expect(t, exitAbnormal, "Missing required request parameters: [token]")
	explain("--connect", "--query", "token=x").expect(t, exitOK, "101")
	explain("--connect", "--stage", "none").expect(t, exitUsage, "there is no stage none")
	tool(t, nil, "", "explain", "--gateway", p.Admin, "--api", "none000000", "--connect").expect(t, exitFailure, "NotFoundException")
	if n := calls.Load(); n != 0 {
		t.Errorf("the backend was called %d times", n)
	}
}

// A gateway that asks for signatures has its APIs explained to who may read them, and to
// nobody else. Keys and usage plans that the credentials do not reach are told of.
func TestExplainSigned(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	opened, err := store.Open(t.Context(), store.Options{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	c := store.NewConfiguration(opened, nil)
	api := &apigw.API{
		ApiId: "testapi123", Name: "test", ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action",
		Routes: []*apigw.Route{
			{RouteId: "r1", RouteKey: "free", Target: "integrations/i1"},
			{RouteId: "r2", RouteKey: "paid", Target: "integrations/i1", ApiKeyRequired: true},
		},
		Integrations: []*apigw.Integration{{IntegrationId: "i1", IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: "http://127.0.0.1:1"}},
	}
	_, errAPI := c.APIs.Put(t.Context(), api, 0)
	_, errStage := c.Stages.Put(t.Context(), &apigw.Stage{ApiId: api.ApiId, StageName: "prod", DeploymentId: "d1"}, 0)
	opened.Close()
	if err := errors.Join(errAPI, errStage); err != nil {
		t.Fatal(err)
	}
	policy := written(t, "policy.json", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "apigateway:GET", "Resource": "arn:aws:apigateway:*::/apis*"}}`)
	reader := newKey(t, nil, "reader", "--policy", policy, "--data", folder)
	other := newKey(t, nil, "other", "--allow", "stagedoor:Tail", "--data", folder)
	p := start(t, nil, "--data", folder)
	explain := func(key *administration.AccessKey, message string) result {
		return tool(t, key, "", "explain", "--gateway", p.Admin, "--api", "testapi123", "--message", message)
	}
	explain(reader, `{"action":"free"}`).expect(t, exitOK, "a message to test", "POST http://127.0.0.1:1", "It would be served.")
	explain(reader, `{"action":"paid"}`).expect(t, exitAbnormal, "The credentials do not allow API keys and usage plans to be read")
	explain(other, `{"action":"free"}`).expect(t, exitFailure, "AccessDenied")
	explain(nil, `{"action":"free"}`).expect(t, exitFailure, "not signed")
}

const explainedTemplate = `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: explained, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: prod, AutoDeploy: true}
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      RequestParameters: {route.request.querystring.token: {Required: true}}
  Model:
    Type: AWS::ApiGatewayV2::Model
    Properties: {ApiId: !Ref Api, Name: Order, ContentType: application/json, Schema: {required: [item]}}
  Route:
    Type: AWS::ApiGatewayV2::Route
    DependsOn: Model
    Properties:
      ApiId: !Ref Api
      RouteKey: order
      ModelSelectionExpression: $default
      RequestModels: {$default: Order}
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${Integration}
  RouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: HTTP
      IntegrationMethod: POST
      IntegrationUri: BACKEND/orders
      RequestTemplates: {$default: '{"item": $input.json("$.item")}'}
  Response:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Integration
      IntegrationResponseKey: $default
      ResponseTemplates: {$default: '{"ordered": $input.json("$.id")}'}
  Paid:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: paid, ApiKeyRequired: true, Target: !Sub "integrations/${Integration}"}
  Key:
    Type: AWS::ApiGateway::ApiKey
    Properties: {Enabled: true, Value: a-key-of-twenty-characters}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties: {ApiStages: [{ApiId: !Ref Api, Stage: !Ref Stage}]}
  PlanKey:
    Type: AWS::ApiGateway::UsagePlanKey
    Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}
`
