package mapping_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// compileRequest compiles an integration that must be right.
func compileRequest(t testing.TB, i *apigw.Integration) *mapping.Requests {
	t.Helper()
	requests, err := mapping.CompileRequest(i)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

// outcome is the kind of a failure in a word or two, with what is missing.
func outcome(err *failure.Error) string {
	switch {
	case err == nil:
		return "no failure"
	case err.Kind == failure.Parameters:
		return "parameters " + strings.ReplaceAll(err.Reason, ", ", " ")
	}
	return map[failure.Kind]string{
		failure.Configuration: "configuration", failure.Internal: "content", failure.MediaType: "media type", failure.Timeout: "timeout",
	}[err.Kind]
}

// The choice of a template is D.1, 2, M.5 and M.21; what happens without one is
// D.1, 3.
func TestTemplateChoice(t *testing.T) {
	t.Parallel()
	const rejected = "media type"
	tests := []struct {
		selection, passthrough string
		keys                   []string
		message, want          string
	}{
		{`\$default`, "", []string{"$default"}, "m", "$default"},
		{`$default`, "", []string{"$default", "application/json"}, "m", "$default"},
		{"200", "", []string{"200", "$default"}, "m", "200"},
		{"text", "", []string{"200", "$default"}, "m", "$default"},
		{`\$default`, "", []string{`\$default`}, "m", `\$default`},
		{"", "", []string{`\$default`, "$default"}, "m", "$default"},
		{"", "", []string{"application/json"}, "m", "application/json"},
		{"", "", []string{"application/json", "$default"}, "m", "$default"},
		{"other", "", []string{"application/json"}, "m", "m"},
		{`\$default`, "", []string{"application/json"}, "m", "application/json"},
		{`$default`, "NEVER", []string{"application/json"}, "m", "application/json"},
		{`\$default`, "", []string{"application/json", "$default"}, "m", "$default"},
		{`\$default`, "", []string{"text/plain"}, "m", "m"},
		{"$request.body.kind", "", []string{"application/json"}, `{"kind": "$default"}`, "application/json"},
		{"$request.body.kind", "", []string{"a", "b", "$default"}, `{"kind": "b"}`, "b"},
		{"${request.body.kind}", "", []string{"a", "$default"}, `{"kind": "c"}`, "$default"},
		{"$request.body.kind", "", []string{"a"}, `{"kind": "c"}`, `{"kind": "c"}`},
		{"$request.body.kind", "WHEN_NO_MATCH", []string{"a"}, `no JSON`, `no JSON`},
		{"$request.body.kind", "WHEN_NO_TEMPLATES", []string{"a"}, `{"kind": "c"}`, rejected},
		{"$request.body.kind", "NEVER", []string{"a"}, `{"kind": "c"}`, rejected},
		{"$request.body.kind", "NEVER", []string{"a"}, `{"kind": "a"}`, "a"},
		{"", "WHEN_NO_TEMPLATES", nil, "m", "m"},
		{"", "NEVER", nil, "m", rejected},
		{"", "", nil, "m", "m"},
	}
	for _, test := range tests {
		templates := make(map[string]string)
		for _, key := range test.keys {
			templates[key] = "#set($key = '" + key + "')$key"
		}
		requests := compileRequest(t, &apigw.Integration{
			TemplateSelectionExpression: test.selection, PassthroughBehavior: test.passthrough, RequestTemplates: templates,
		})
		request, err := requests.Map(t.Context(), mapping.NewExchange(&fakeEvent{Text: test.message}))
		var got string
		if err != nil {
			got = outcome(err)
		} else {
			got = string(request.Body)
			if request.Rendered == (got == test.message) {
				t.Errorf("%+v: Rendered is %v", test, request.Rendered)
			}
		}
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

const handshakeEvent = `{
	"message": "{\"name\": \"Ada\", \"n\": 7, \"o\": {\"a\": [1, \"x\"]}, \"evil\": \"a\\r\\nX-Admin: 1\"}",
	"header": [["X-Tag", "a"], ["x-tag", "b"], ["Host", "h"]],
	"query": [["q", "1"], ["q", "2"]],
	"path": [["p", "deep"]],
	"context": {"connectionId": "id=", "identity.sourceIp": "192.0.2.1", "requestTimeEpoch": 5},
	"authorizer": {"principalId": "me"},
	"stageVariables": {"table": "messages"}
}`

// The sources and targets of D.1, 1.
func TestRequestParameters(t *testing.T) {
	t.Parallel()
	type parameters = []event.Parameter
	tests := []struct {
		target, source string
		want           mapping.Request
	}{
		{"header.X", "'static text'", mapping.Request{Header: parameters{{Name: "X", Value: "static text"}}}},
		{"header.X", "''", mapping.Request{Header: parameters{{Name: "X", Value: ""}}}},
		{"querystring.x", "context.connectionId", mapping.Request{Query: parameters{{Name: "x", Value: "id="}}}},
		{"querystring.x", "context.identity.sourceIp", mapping.Request{Query: parameters{{Name: "x", Value: "192.0.2.1"}}}},
		{"querystring.x", "context.requestTimeEpoch", mapping.Request{Query: parameters{{Name: "x", Value: "5"}}}},
		{"querystring.x", "context.authorizer.principalId", mapping.Request{Query: parameters{{Name: "x", Value: "me"}}}},
		{"querystring.x", "context.authorizer.none.deeper", mapping.Request{}},
		{"path.op", "stageVariables.table", mapping.Request{Path: parameters{{Name: "op", Value: "messages"}}}},
		{"path.op", "stageVariables.none", mapping.Request{}},
		{"header.X", "route.request.header.x-tag", mapping.Request{Header: parameters{{Name: "X", Value: "b"}}}},
		{"header.X", "route.request.header.X-TAG", mapping.Request{Header: parameters{{Name: "X", Value: "b"}}}},
		{"header.X", "route.request.header.none", mapping.Request{}},
		{"header.X", "route.request.multivalueheader.X-Tag", mapping.Request{Header: parameters{{Name: "X", Value: "a"}, {Name: "X", Value: "b"}}}},
		{"querystring.x", "route.request.querystring.q", mapping.Request{Query: parameters{{Name: "x", Value: "2"}}}},
		{"querystring.x", "route.request.multivaluequerystring.q", mapping.Request{Query: parameters{{Name: "x", Value: "1"}, {Name: "x", Value: "2"}}}},
		{"path.op", "route.request.multivaluequerystring.q", mapping.Request{Path: parameters{{Name: "op", Value: "1,2"}}}},
		{"path.op", "route.request.path.p", mapping.Request{Path: parameters{{Name: "op", Value: "deep"}}}},
		{"header.X", "route.request.body.name", mapping.Request{Header: parameters{{Name: "X", Value: "Ada"}}}},
		{"header.X", "route.request.body.n", mapping.Request{Header: parameters{{Name: "X", Value: "7"}}}},
		{"header.X", "route.request.body['o'].a[1]", mapping.Request{Header: parameters{{Name: "X", Value: "x"}}}},
		{"header.X", "route.request.body.o", mapping.Request{Header: parameters{{Name: "X", Value: `{"a":[1,"x"]}`}}}},
		{"header.X", "route.request.body.none", mapping.Request{}},
		{"header.X", "route.request.body.evil", mapping.Request{Header: parameters{{Name: "X", Value: "a  X-Admin: 1"}}}},
		{"querystring.x", "route.request.body.evil", mapping.Request{Query: parameters{{Name: "x", Value: "a\r\nX-Admin: 1"}}}},
	}
	for _, test := range tests {
		requests := compileRequest(t, &apigw.Integration{
			RequestParameters: map[string]string{"integration.request." + test.target: test.source},
		})
		e := readEvent(t, handshakeEvent)
		test.want.Body = []byte(e.Text)
		if !requests.HasParameters() {
			t.Errorf("%s ← %s: no parameters", test.target, test.source)
		}
		for name, run := range map[string]func(x *mapping.Exchange) (*mapping.Request, *failure.Error){
			"Map":           func(x *mapping.Exchange) (*mapping.Request, *failure.Error) { return requests.Map(t.Context(), x) },
			"MapParameters": requests.MapParameters,
		} {
			got, err := run(mapping.NewExchange(e))
			if err != nil {
				t.Errorf("%s ← %s: %s: %v", test.target, test.source, name, err)
			} else if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Errorf("%s ← %s: %s: %s", test.target, test.source, name, diff)
			}
		}
	}
}

// The whole message is a source as well (D.1, 1).
func TestWholeMessageAsParameter(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{
		RequestParameters: map[string]string{"integration.request.header.X": "route.request.body"},
	})
	got, err := requests.MapParameters(mapping.NewExchange(&fakeEvent{Text: "no JSON"}))
	if err != nil || len(got.Header) != 1 || got.Header[0].Value != "no JSON" {
		t.Errorf("%v, %v", got, err)
	}
}

// What is wrong in a configuration is refused when it is compiled, and named.
func TestMistakesInRequests(t *testing.T) {
	t.Parallel()
	parameter := func(target, source string) apigw.Integration {
		return apigw.Integration{RequestParameters: map[string]string{target: source}}
	}
	tests := []struct {
		integration apigw.Integration
		want        string
	}{
		{parameter("integration.request.body.x", "'a'"), `requestParameters["integration.request.body.x"]: the parameter must be integration.request.header.{name} or`},
		{parameter("integration.request.header.", "'a'"), `"" is no name of a parameter`},
		{parameter("integration.request.header.a b", "'a'"), `"a b" is no name of a parameter`},
		{parameter("integration.request.header.X", "method.request.header.X"), `"method.request.header.X" is no source; it must be route.request.multivaluequerystring.{name},`},
		{parameter("integration.request.header.X", "route.request.header.a/b"), `"a/b" is no name`},
		{parameter("integration.request.header.X", "route.request.body.[?("), `"route.request.body.[?(": `},
		{parameter("integration.request.header.X", "route.request.bodyx"), "a dot or a bracket must follow body"},
		{parameter("integration.request.header.X", "'open"), "'open has no closing quote"},
		{parameter("integration.request.header.X", "context."), `"" is no name`},
		{parameter("integration.request.header.X", "stageVariables.a b"), `"a b" is no name`},
		{apigw.Integration{RequestTemplates: map[string]string{"$default": "{\n  #if(true) x\n}"}}, `requestTemplates["$default"]: line 2, column 3: `},
		{apigw.Integration{RequestTemplates: map[string]string{"a": strings.Repeat("x", 300<<10+1)}}, `requestTemplates["a"] is 307201 bytes long; a template has at most 307200`},
		{apigw.Integration{TemplateSelectionExpression: "$context.x"}, "templateSelectionExpression: "},
		{apigw.Integration{PassthroughBehavior: "ALWAYS"}, `passthroughBehavior is "ALWAYS"; it must be`},
		{apigw.Integration{ContentHandlingStrategy: "BASE64"}, `contentHandlingStrategy is "BASE64"; it must be`},
	}
	for _, test := range tests {
		_, err := mapping.CompileRequest(&test.integration)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// Overrides of E.1 replace what parameters gave.
func TestRequestOverrides(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{
		RequestParameters: map[string]string{
			"integration.request.header.X-Mapped": "'mapped'",
			"integration.request.header.X-Kept":   "'kept'",
			"integration.request.path.op":         "'mapped'",
		},
		RequestTemplates: map[string]string{"$default": `
			#set($context.requestOverride.header.x-mapped = "over")
			#set($context.requestOverride.header["X-List"] = ["a", 2])
			$context.requestOverride.header.put("X-Bad", $input.path('$.evil'))
			#set($context.requestOverride.path.op = "new")
			#set($context.requestOverride.querystring.q = $input.path('$.n'))
			`},
	})
	got, err := requests.Map(t.Context(), mapping.NewExchange(readEvent(t, handshakeEvent)))
	if err != nil {
		t.Fatal(err)
	}
	want := &mapping.Request{
		Header: []event.Parameter{{Name: "X-Kept", Value: "kept"}, {Name: "x-mapped", Value: "over"}, {Name: "X-List", Value: "a"}, {Name: "X-List", Value: "2"}, {Name: "X-Bad", Value: "a  X-Admin: 1"}},
		Query:  []event.Parameter{{Name: "q", Value: "7"}},
		Path:   []event.Parameter{{Name: "op", Value: "new"}},
		Body:   got.Body, Rendered: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOverrideOfABadName(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{
		"$default": `$context.requestOverride.header.put($input.path('$.evil'), "x")`,
	}})
	_, err := requests.Map(t.Context(), mapping.NewExchange(readEvent(t, handshakeEvent)))
	if got := outcome(err); got != "configuration" {
		t.Error(got, err)
	}
}

// Content handling of requests, D.1, 4.
func TestContentOfRequests(t *testing.T) {
	t.Parallel()
	tests := []struct {
		strategy string
		event    fakeEvent
		template string
		want     string
	}{
		{"CONVERT_TO_BINARY", fakeEvent{Text: "aGk/Pw=="}, "", "hi??"},
		{"CONVERT_TO_BINARY", fakeEvent{Text: "aGk_Pw\n"}, "", "hi??"},
		{"CONVERT_TO_BINARY", fakeEvent{Text: `{"data": "aGk="}`}, "$input.path('$.data')", "hi"},
		{"CONVERT_TO_BINARY", fakeEvent{Text: "no base64!"}, "", "content"},
		{"CONVERT_TO_BINARY", fakeEvent{}, "", ""},
		{"CONVERT_TO_TEXT", fakeEvent{Text: "text"}, "", "text"},
		{"CONVERT_TO_TEXT", fakeEvent{Binary: []byte{0xFF, 0xFE}}, "", "//4="},
		{"CONVERT_TO_TEXT", fakeEvent{Binary: []byte{0xFF, 0xFE}}, `{"data": "$input.body"}`, `{"data": "//4="}`},
		{"", fakeEvent{Binary: []byte{0xFF, 0xFE}}, "", "\xFF\xFE"},
	}
	for _, test := range tests {
		i := &apigw.Integration{ContentHandlingStrategy: test.strategy}
		if test.template != "" {
			i.RequestTemplates = map[string]string{"$default": test.template}
		}
		request, err := compileRequest(t, i).Map(t.Context(), mapping.NewExchange(&test.event))
		got := outcome(err)
		if err == nil {
			got = string(request.Body)
		}
		if got != test.want {
			t.Errorf("%s of %q: %q", test.strategy, test.event.Text, got)
		}
	}
}

// Required parameters of $connect, A.5 and M.10.
func TestRequiredParameters(t *testing.T) {
	t.Parallel()
	required, err := mapping.CompileRequired(map[string]apigw.ParameterConstraints{
		"route.request.querystring.b": {Required: true},
		"route.request.querystring.a": {Required: true},
		"route.request.querystring.c": {Required: false},
		"route.request.path.p":        {Required: true},
		"route.request.header.Z":      {Required: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ event, want string }{
		{`{}`, "parameters Z p a b"},
		{`{"header": [["z", "1"]], "path": [["p", "1"]], "query": [["a", " "], ["b", "1"]]}`, "parameters a"},
		{`{"header": [["z", "1"]], "path": [["p", "1"]], "query": [["a", "0"], ["b", "1"]]}`, ""},
	}
	for _, test := range tests {
		got := ""
		if err := required.Check(readEvent(t, test.event)); err != nil {
			got = outcome(err)
		}
		if got != test.want {
			t.Errorf("%s: %s", test.event, got)
		}
	}
	for _, key := range []string{"route.request.body.x", "route.request.header.", "method.request.header.x", "x"} {
		_, err := mapping.CompileRequired(map[string]apigw.ParameterConstraints{key: {}})
		if err == nil || !strings.HasPrefix(err.Error(), `requestParameters["`+key+`"]: `) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
