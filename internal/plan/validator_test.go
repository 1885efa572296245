package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A model that cannot be used is a problem of the routes that have it, and of
// no other: specification, section C.3.
func TestModelProblems(t *testing.T) {
	t.Parallel()
	with := func(key, selection string, models map[string]string) *apigw.Route {
		return &apigw.Route{RouteKey: key, ModelSelectionExpression: selection, RequestModels: models}
	}
	api := &apigw.API{
		ApiId: "abcdefghij", RouteSelectionExpression: "$request.body.action",
		Models: []*apigw.Model{
			{Name: "Fine", Schema: `{"type":"object"}`},
			{Name: "Bad", Schema: `{"properties":{"a":{"type":"strin"}}}`},
			{Name: "Refers", Schema: `{"items":{"$ref":"https://apigateway.amazonaws.com/restapis/abcdefghij/models/Gone"}}`},
		},
		Routes: []*apigw.Route{
			with("$connect", "$request.body.kind", map[string]string{"$default": "Bad"}),
			with("fine", "$request.body.kind", map[string]string{"$default": "Fine"}),
			with("unvalidated", "", map[string]string{"$default": "Bad"}),
			with("bad", "$request.body.kind", map[string]string{"a": "Fine", "b": "Bad"}),
			with("refers", "$default", map[string]string{"$default": "Refers"}),
			with("gone", "$default", map[string]string{"$default": "Gone"}),
			with("header", "$request.header.kind", nil),
		},
	}
	stage, problems, err := (&Compiler{Region: "us-east-1"}).Compile(&apigw.Deployment{API: api}, &apigw.Stage{StageName: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Defect{
		{"route bad", "request model b: model Bad: at /properties/a/type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'"},
		{"route refers", "request model $default: model Refers: at /items/$ref: https://apigateway.amazonaws.com/restapis/abcdefghij/models/Gone is no model of this API; models are referred to as https://apigateway.amazonaws.com/restapis/abcdefghij/models/{name}"},
		{"route gone", "request model $default: the API has no model Gone"},
		{"route header", `model selection expression "$request.header.kind": variable $request.header.kind is not known here; it must be $request.body.{path} or text without a variable`},
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if stage.Connect.Validator != nil || stage.Connect.Backend != nil {
		t.Error("$connect is validated")
	}
	for key, validated := range map[string]bool{"fine": true, "unvalidated": false} {
		if route := stage.routes[key]; (route.Validator != nil) != validated || route.Backend != nil {
			t.Errorf("%s: %+v", key, route)
		}
	}
	for _, key := range []string{"bad", "refers", "gone", "header"} {
		if stage.routes[key].Backend == nil {
			t.Errorf("%s does not fail closed", key)
		}
	}
}
