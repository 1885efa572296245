package mapping_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"

func compileResponses(t testing.TB, i *apigw.Integration) *mapping.Responses {
	t.Helper()
	responses, err := mapping.CompileResponses(i)
	if err != nil {
		t.Fatal(err)
	}
	return responses
}

// The choice of an integration response is D.3 and M.7.
func TestIntegrationResponseChoice(t *testing.T) {
	t.Parallel()
	lambda := apigw.Integration{IntegrationType: apigw.IntegrationAWS, IntegrationUri: functionURI}
	other := apigw.Integration{IntegrationType: apigw.IntegrationAWS, IntegrationUri: "arn:aws:apigateway:us-east-1:states:action/StartExecution"}
	endpoint := apigw.Integration{IntegrationType: apigw.IntegrationHTTP}
	const none = "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: "
	tests := []struct {
		integration apigw.Integration
		keys        []string
		status      int
		body, want  string
	}{
		{endpoint, []string{"/200/", "$default"}, 200, "", "/200/"},
		{endpoint, []string{"/2\\d\\d/", "/4\\d{2}/", "$default"}, 404, "", "/4\\d{2}/"},
		{endpoint, []string{"/20/", "$default"}, 200, "", "$default"},
		{endpoint, []string{"/2.*/", "204"}, 204, "", "204"},
		{endpoint, []string{`\$default`}, 500, "", `\$default`},
		{endpoint, []string{"/200/"}, 503, "", none + "503"},
		{endpoint, nil, 200, "", none + "200"},
		{other, []string{"/200/"}, 200, `{"errorMessage": "x"}`, "/200/"},
		{lambda, []string{"/.*not found.*/", "$default"}, 200, `{"errorMessage": "room not found"}`, "/.*not found.*/"},
		{lambda, []string{"/not found/", "$default"}, 200, `{"errorMessage": "room not found"}`, "$default"},
		{lambda, []string{`/(\n|.)+/`, "$default"}, 200, `{"errorMessage": "two\nlines"}`, `/(\n|.)+/`},
		{lambda, []string{"/.*/", "$default"}, 200, `{"text": "fine"}`, "$default"},
		{lambda, []string{"/.*/"}, 200, `{"text": "fine"}`, none + "200"},
		{apigw.Integration{IntegrationType: apigw.IntegrationMock}, []string{"200", "/400/"}, 400, "", "/400/"},
	}
	for _, test := range tests {
		for _, key := range test.keys {
			// In single quotes, a template's dollars and backslashes are text.
			test.integration.IntegrationResponses = append(test.integration.IntegrationResponses, &apigw.IntegrationResponse{
				IntegrationResponseKey: key,
				ResponseTemplates:      map[string]string{"$default": "#set($key = '" + key + "')$key"},
			})
		}
		responses := compileResponses(t, &test.integration)
		if responses.Empty() != (len(test.keys) == 0) {
			t.Errorf("%q: Empty is %v", test.keys, responses.Empty())
		}
		reply, err := responses.Map(t.Context(), mapping.NewExchange(new(fakeEvent)), response{Status: test.status, Body: test.body}.mapping())
		var got string
		if err != nil {
			got = err.Reason
			if client := outcome(err); client != "configuration" {
				t.Errorf("%q: the client sees %s", test.keys, client)
			}
		} else {
			got = string(reply.Body)
		}
		if got != test.want {
			t.Errorf("%q, %d, %s: %s", test.keys, test.status, test.body, got)
		}
	}
}

// Response templates are chosen by the integration response's expression, D.3.
func TestResponseTemplateChoice(t *testing.T) {
	t.Parallel()
	tests := []struct{ selection, keys, want string }{
		{"$request.body.kind", "a|$default", "a"},
		{"$integration.response.statuscode", "201|$default", "201"},
		{"$integration.response.header.X-Kind", "b", "b"},
		{"${integration.response.multivalueheader.X-Kind}", "[b, c]|$default", "[b, c]"},
		{"text", "$default|application/json", "$default"},
		{"text", "application/json", "body"},
		{"", "application/json", "application/json"},
		{"", "", "body"},
	}
	for _, test := range tests {
		templates := map[string]string{}
		for _, key := range strings.FieldsFunc(test.keys, func(r rune) bool { return r == '|' }) {
			templates[key] = "#set($key = '" + key + "')$key"
		}
		responses := compileResponses(t, &apigw.Integration{IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseKey: "$default", TemplateSelectionExpression: test.selection, ResponseTemplates: templates,
		}}})
		reply, err := responses.Map(t.Context(), mapping.NewExchange(&fakeEvent{Text: `{"kind": "a"}`}), &mapping.Response{
			Status: 201, Header: http.Header{"X-Kind": {"b", "c"}}, Body: []byte("body"),
		})
		if err != nil || string(reply.Body) != test.want {
			t.Errorf("%+v: %v, %v", test, reply, err)
		}
	}
}

// Response parameters are D.3's, for $connect: a subprotocol, say.
func TestResponseParameters(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target, source string
		want           []string
	}{
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.header.x-protocol", []string{"chat"}},
		{"route.response.header.sec-websocket-protocol", "'chat'", []string{"chat"}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.body.protocols[0]", []string{"v1"}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.body.protocols", []string{`["v1","v2"]`}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.multivalueheader.X-Many", []string{"a", "b"}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.header.X-Many", []string{"a"}},
		{"method.response.header.Sec-WebSocket-Protocol", "context.stage", []string{"dev"}},
		{"method.response.header.Sec-WebSocket-Protocol", "stageVariables.protocol", []string{"v3"}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.body.evil", []string{"a  b"}},
		{"method.response.header.Sec-WebSocket-Protocol", "integration.response.header.none", nil},
	}
	for _, test := range tests {
		responses := compileResponses(t, &apigw.Integration{IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseKey: "$default", ResponseParameters: map[string]string{test.target: test.source},
		}}})
		e := readEvent(t, `{"context": {"stage": "dev"}, "stageVariables": {"protocol": "v3"}}`)
		reply, err := responses.Map(t.Context(), mapping.NewExchange(e), &mapping.Response{
			Status: 200, Header: http.Header{"X-Protocol": {"chat"}, "X-Many": {"a", "b"}},
			Body: []byte(`{"protocols": ["v1", "v2"], "evil": "a\r\nb"}`),
		})
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		want := http.Header{}
		if test.want != nil {
			want["Sec-Websocket-Protocol"] = test.want
		}
		if diff := cmp.Diff(want, reply.Header); diff != "" || reply.Status != 200 {
			t.Errorf("%s: %d %s", test.source, reply.Status, diff)
		}
	}
}

func TestMistakesInResponses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		response apigw.IntegrationResponse
		want     string
	}{
		{apigw.IntegrationResponse{IntegrationResponseKey: "/(/"}, "integrationResponseKey: "},
		{apigw.IntegrationResponse{IntegrationResponseKey: "/200/", ResponseTemplates: map[string]string{"a": "\n#end"}},
			`integration response "/200/": responseTemplates["a"]: line 2, column 1: `},
		{apigw.IntegrationResponse{IntegrationResponseKey: "200", TemplateSelectionExpression: "$x"},
			`integration response "200": templateSelectionExpression: `},
		{apigw.IntegrationResponse{ResponseParameters: map[string]string{"integration.request.header.x": "'a'"}},
			"the parameter must be method.response.header.{name} or"},
		{apigw.IntegrationResponse{ResponseParameters: map[string]string{"method.response.header.x": "route.request.header.x"}},
			`"route.request.header.x" is no source; it must be integration.response.`},
		{apigw.IntegrationResponse{ContentHandlingStrategy: "x"}, `contentHandlingStrategy is "x"`},
	}
	for _, test := range tests {
		_, err := mapping.CompileResponses(&apigw.Integration{IntegrationResponses: []*apigw.IntegrationResponse{&test.response}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
}

// Overrides made by the request's template are there in the response's (E.1),
// where $input is the integration's body (E.6) and the event is the same.
func TestTheResponsePhase(t *testing.T) {
	t.Parallel()
	tests := []struct{ request, response, body, want string }{
		{"x", `$input.body $input.path('$.a') $context.connectionId`, `{"a": 1}`, `{"a": 1} 1 id 200 map[]`},
		{"x", `$input.body`, ``, `{} 200 map[]`},
		{"$input.json('$')", `$input.json('$.m') $input.json('$.r')`, `{"r": 1}`, `"" 1 200 map[]`},
		{"#set($context.responseOverride.status = 201)", `[$context.responseOverride.status]`, ``, `[201] 201 map[]`},
		{"#set($context.responseOverride.status = 201)", `#set($context.responseOverride.status = "404")x`, ``, `x 404 map[]`},
		{`#set($context.responseOverride.header.X = "1")`, `#set($context.responseOverride.header.Y = ["2", "3"])x`, ``, `x 200 map[X:[1] Y:[2 3]]`},
		{"#set($x = 1)", `[$x]`, ``, `[] 200 map[]`},
		{"#set($context.responseOverride.status = 99)", `x`, ``, `configuration`},
		{"#set($context.responseOverride.status = 600)", `x`, ``, `configuration`},
		{"#set($context.responseOverride.status = 'x')", `x`, ``, `configuration`},
	}
	for _, test := range tests {
		i := &apigw.Integration{
			RequestTemplates: map[string]string{"$default": test.request},
			IntegrationResponses: []*apigw.IntegrationResponse{{
				IntegrationResponseKey: "$default", ResponseTemplates: map[string]string{"$default": test.response},
			}},
		}
		x := mapping.NewExchange(readEvent(t, `{"message": "{\"m\": 1}", "context": {"connectionId": "id"}}`))
		if _, err := compileRequest(t, i).Map(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		reply, err := compileResponses(t, i).Map(t.Context(), x, response{Status: 200, Body: test.body}.mapping())
		if got := describeReply(reply, err); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// Content handling of responses, D.3.
func TestContentOfResponses(t *testing.T) {
	t.Parallel()
	tests := []struct{ strategy, contentType, body, want string }{
		{"CONVERT_TO_TEXT", "image/png", "\xFF\xFE", "//4="},
		{"CONVERT_TO_TEXT", "application/octet-stream", "hi", "aGk="},
		{"CONVERT_TO_TEXT", "application/json; charset=utf-8", "{}", "{}"},
		{"CONVERT_TO_TEXT", "application/problem+json", "{}", "{}"},
		{"CONVERT_TO_TEXT", "", "{}", "{}"},
		{"CONVERT_TO_BINARY", "text/plain", "aGk=", "hi"},
		{"CONVERT_TO_BINARY", "text/plain", "?", "content"},
		{"", "image/png", "\xFF\xFE", "\xFF\xFE"},
	}
	for _, test := range tests {
		responses := compileResponses(t, &apigw.Integration{IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseKey: "$default", ContentHandlingStrategy: test.strategy,
		}}})
		header := http.Header{}
		if test.contentType != "" {
			header.Set("Content-Type", test.contentType)
		}
		reply, err := responses.Map(t.Context(), mapping.NewExchange(new(fakeEvent)), &mapping.Response{Status: 200, Header: header, Body: []byte(test.body)})
		got := outcome(err)
		if err == nil {
			got = string(reply.Body)
		}
		if got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}
