package mapping_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// timeless are the steps of a trace without their times.
func timeless(t *trace.Trace) []trace.Step {
	steps := t.Steps()
	for i, step := range steps {
		if template, ok := step.(trace.Template); ok {
			template.Began, template.Took = time.Time{}, 0
			steps[i] = template
		}
	}
	return steps
}

func payload(text string) trace.Payload {
	return trace.Payload{Kept: []byte(text), Length: len(text)}
}

// A trace is told each parameter and each template, why it was chosen and what it gave, and
// the integration response.
func TestTrace(t *testing.T) {
	t.Parallel()
	integration := &apigw.Integration{
		RequestParameters: map[string]string{
			"integration.request.header.X-Id":      "context.connectionId",
			"integration.request.querystring.none": "stageVariables.none",
		},
		TemplateSelectionExpression: "$request.body.kind",
		RequestTemplates:            map[string]string{"short": `{"text": $input.json('$.text')}`},
		IntegrationResponses: []*apigw.IntegrationResponse{
			{IntegrationResponseKey: "$default"},
			{
				IntegrationResponseKey: `/4\d\d/`, ResponseTemplates: map[string]string{"$default": "#set($x = $y.z.z)\nrefused"},
				ResponseParameters: map[string]string{"route.response.header.X-Why": "integration.response.header.why"},
			},
		},
	}
	x := mapping.NewExchange(readEvent(t, `{"message": "{\"kind\": \"short\", \"text\": \"hello\"}", "context": {"connectionId": "id"}}`))
	x.Trace = &trace.Trace{Keep: 100}
	if _, err := compileRequest(t, integration).Map(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if _, err := compileResponses(t, integration).Map(t.Context(), x, response{Status: 404}.mapping()); err != nil {
		t.Fatal(err)
	}
	want := []trace.Step{
		trace.Parameter{Target: "integration.request.header.X-Id", Source: "context.connectionId", Values: []string{"id"}},
		trace.Parameter{Target: "integration.request.querystring.none", Source: "stageVariables.none", Values: []string{}},
		trace.Template{Place: "request template short", Text: payload(`{"text": "hello"}`), Expression: "$request.body.kind", Value: "short"},
		trace.Choice{Key: `/4\d\d/`, Pattern: `4\d\d`, Matched: "404", Status: 404},
		trace.Parameter{Target: "route.response.header.X-Why", Source: "integration.response.header.why", Values: []string{}},
		trace.Template{Place: "response template $default", Text: payload("refused")},
	}
	if diff := cmp.Diff(want, timeless(x.Trace)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A template that fails is told with its error.
func TestTraceOfFailure(t *testing.T) {
	t.Parallel()
	x := mapping.NewExchange(readEvent(t, `{"message": "{}"}`))
	x.Trace = &trace.Trace{Keep: 100}
	_, err := compileRequest(t, &apigw.Integration{
		RequestTemplates: map[string]string{"$default": "#macro(m)#m()#end\n#m()"},
	}).Map(t.Context(), x)
	if err == nil {
		t.Fatal("the template did not fail")
	}
	want := []trace.Step{trace.Template{Place: "request template $default", Error: err.Reason}}
	if diff := cmp.Diff(want, timeless(x.Trace)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is mapped on an event loop is told as well.
func TestTraceOfLightMapping(t *testing.T) {
	t.Parallel()
	integration := &apigw.Integration{
		RequestTemplates:     map[string]string{"$default": `{"statusCode": 200}`},
		IntegrationResponses: []*apigw.IntegrationResponse{{IntegrationResponseKey: "200", ResponseTemplates: map[string]string{"$default": "fine"}}},
	}
	to := &trace.Trace{Keep: 100}
	if _, err := compileRequest(t, integration).MapLight([]byte("{}"), to); err != nil {
		t.Fatal(err)
	}
	if _, err := compileResponses(t, integration).MapLight([]byte("{}"), response{Status: 200}.mapping(), to); err != nil {
		t.Fatal(err)
	}
	want := []trace.Step{
		trace.Template{Place: "request template $default", Text: payload(`{"statusCode": 200}`)},
		trace.Choice{Key: "200", Matched: "200", Status: 200},
		trace.Template{Place: "response template $default", Text: payload("fine")},
	}
	if diff := cmp.Diff(want, timeless(to)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
