package apigw

import "testing"

func TestWithStageVariables(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"colour": "blue", "empty": "", "nested": "${stageVariables.colour}"}
	for _, test := range []struct{ text, want, problem string }{
		{"plain", "plain", ""},
		{"a-${stageVariables.colour}-${stageVariables.colour}", "a-blue-blue", ""},
		{"${stageVariables.empty}", "", ""},
		{"${stageVariables.nested}", "${stageVariables.colour}", ""},
		{"${stageVariables.a-b} ${stageVariables.} ${colour}", "${stageVariables.a-b} ${stageVariables.} ${colour}", ""},
		{"${stageVariables.shape} ${stageVariables.size}", "", "the stage has no variable shape"},
	} {
		got, err := WithStageVariables(test.text, variables)
		if err == nil && (got != test.want || test.problem != "") || err != nil && err.Error() != test.problem {
			t.Errorf("%s: %q, %v", test.text, got, err)
		}
	}
}
