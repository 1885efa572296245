package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// A trace is told the model that a message was checked against, and all that does not fit.
func TestTraceOfModel(t *testing.T) {
	t.Parallel()
	api := &apigw.API{
		ApiId: "abcdefghij", RouteSelectionExpression: "$request.body.action",
		Models: []*apigw.Model{{Name: "Text", Schema: `{"required":["text"],"properties":{"n":{"type":"number"}}}`}},
		Routes: []*apigw.Route{{RouteKey: "send", ModelSelectionExpression: "$default", RequestModels: map[string]string{"$default": "Text"}}},
	}
	stage, _, err := (&Compiler{Region: "us-east-1"}).Compile(&apigw.Deployment{API: api}, &apigw.Stage{StageName: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	to := &trace.Trace{Keep: 30}
	validator := stage.routes["send"].Validator
	if err := validator.Validate([]byte(`{"text":"x"}`), to); err != nil {
		t.Error(err)
	}
	if validator.Validate([]byte(`{"n":"many"}`), to) == nil {
		t.Error("a message that does not fit is valid")
	}
	steps := to.Steps()
	for i, step := range steps {
		checked := step.(trace.Model)
		if checked.At.IsZero() {
			t.Error("the check has no time")
		}
		checked.At = time.Time{}
		steps[i] = checked
	}
	want := []trace.Step{
		trace.Model{Name: "Text"},
		trace.Model{Name: "Text", Violations: []string{`required: "text" is missing`, `at /n: type: is string, must b`}},
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
