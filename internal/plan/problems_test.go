package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/integration"
)

// What is wrong with an integration is reported with the route and the property,
// when the deployment is put on its stage, and fails that route alone.
func TestIntegrationProblems(t *testing.T) {
	t.Parallel()
	api := &apigw.API{ApiId: "abcdefghij", RouteSelectionExpression: "$request.body.action"}
	add := func(key string, i *apigw.Integration) {
		i.IntegrationId = "for-" + key
		api.Integrations = append(api.Integrations, i)
		api.Routes = append(api.Routes, &apigw.Route{RouteKey: key, Target: "integrations/" + i.IntegrationId})
	}
	answering := func(r apigw.IntegrationResponse) *apigw.Integration {
		return &apigw.Integration{IntegrationType: "MOCK", IntegrationResponses: []*apigw.IntegrationResponse{&r}}
	}
	add("fine", &apigw.Integration{IntegrationType: "MOCK", RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`}})
	add("template", &apigw.Integration{IntegrationType: "MOCK", RequestTemplates: map[string]string{"a": "fine", "b": "\n#if($a)"}})
	add("selection", &apigw.Integration{IntegrationType: "HTTP", IntegrationUri: "http://a", TemplateSelectionExpression: "$request.header.x"})
	add("parameter", &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: "http://a", RequestParameters: map[string]string{"integration.request.header.X": "method.request.header.x"}})
	add("passthrough", &apigw.Integration{IntegrationType: "MOCK", PassthroughBehavior: "SOMETIMES"})
	add("pattern", answering(apigw.IntegrationResponse{IntegrationResponseKey: "/(/"}))
	add("response", answering(apigw.IntegrationResponse{IntegrationResponseKey: "$default", ResponseTemplates: map[string]string{"$default": "#end"}}))
	add("url", &apigw.Integration{IntegrationType: "HTTP_PROXY", IntegrationUri: "ftp://a"})
	add("service", &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:dynamodb:PutItem"})
	add("role", &apigw.Integration{IntegrationType: "AWS", IntegrationUri: "arn:aws:apigateway:us-east-1:sqs:path/q", CredentialsArn: "${stageVariables.role}"})
	add("variable", &apigw.Integration{IntegrationType: "AWS_PROXY", IntegrationUri: "${stageVariables.none}"})
	add("type", &apigw.Integration{IntegrationType: "MUCK"})
	api.Routes = append(api.Routes,
		&apigw.Route{RouteKey: "$connect", RequestParameters: map[string]apigw.ParameterConstraints{"route.request.body.x": {Required: true}}},
		&apigw.Route{RouteKey: "target", Target: "integrations/gone"})
	compiler := &Compiler{Backends: &integration.Builder{Region: "us-east-1", AccountID: "123456789012"}, Region: "us-east-1"}
	stage, problems, err := compiler.Compile(&apigw.Deployment{API: api}, &apigw.Stage{StageName: "dev", StageVariables: map[string]string{"role": "none"}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range problems {
		got[p.Where] = p.Message
	}
	want := map[string]string{
		"route template":    `requestTemplates["b"]: line 2, column 1: #if has no #end`,
		"route selection":   `templateSelectionExpression: selection expression "$request.header.x": variable $request.header.x is not known here; it must be $request.body.{path} or text without a variable`,
		"route parameter":   `requestParameters["integration.request.header.X"]: "method.request.header.x" is no source; it must be route.request.multivaluequerystring.{name}, route.request.multivalueheader.{name}, route.request.querystring.{name}, route.request.header.{name}, route.request.path.{name}, route.request.body.{JSONPath}, context.{name}, stageVariables.{name} or text in single quotes`,
		"route passthrough": `passthroughBehavior is "SOMETIMES"; it must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER`,
		"route pattern":     "integrationResponseKey: regular expression /(/: error parsing regexp: missing closing ) in `\\A(?:()\\z`",
		"route response":    `integration response "$default": responseTemplates["$default"]: line 1, column 1: #end without an #if, #foreach or other directive that it belongs to`,
		"route url":         `IntegrationUri "ftp://a" is not an HTTP URL`,
		"route service":     `IntegrationUri "arn:aws:apigateway:us-east-1:dynamodb:PutItem": "PutItem" begins with neither action/ nor path/`,
		"route role":        `CredentialsArn "none" is not the ARN of a role`,
		"route variable":    `IntegrationUri: the stage has no variable none`,
		"route type":        `IntegrationType "MUCK" is not one of AWS, AWS_PROXY, HTTP, HTTP_PROXY, MOCK`,
		"route $connect":    `requestParameters["route.request.body.x"]: the parameter must be route.request.header.{name}, route.request.querystring.{name} or route.request.path.{name}`,
		"route target":      "target integrations/gone does not exist",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if stage.routes["fine"].Backend == nil || len(stage.routes) != len(api.Routes)-1 {
		t.Errorf("%d routes", len(stage.routes))
	}
	if stage.Connect.Backend == nil {
		t.Error("$connect does not fail closed")
	}
}
