package gateway_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// answering is an integration response for a key, with a template; "" passes the
// body through.
func answering(key, template string) *apigw.IntegrationResponse {
	r := &apigw.IntegrationResponse{IntegrationResponseKey: key}
	if template != "" {
		r.ResponseTemplates = map[string]string{"$default": template}
	}
	return r
}

// passing answers with whatever the integration answers.
var passing = []*apigw.IntegrationResponse{{IntegrationResponseKey: "$default"}}

// failing is what a row wants when it wants an error frame with this message.
func failing(message string) string { return "frame: " + message }

const internalFrame = "frame: Internal server error"

// describe is an answer of the gateway as rows write it.
func describe(answer string) string {
	if match := errorFrame.FindStringSubmatch(answer); match != nil {
		return failing(match[1])
	}
	return answer
}

// describeCall is what a backend received: the request line, the header but for
// what every call has, the body.
func describeCall(c Call) string {
	lines := []string{c.Method + " " + c.URL}
	for name, values := range c.Header {
		switch name {
		case "Content-Length", "User-Agent", "X-Amzn-Apigateway-Api-Id", "X-Amzn-Trace-Id", "Accept-Encoding":
		default:
			lines = append(lines, name+": "+strings.Join(values, ", "))
		}
	}
	slices.Sort(lines[1:])
	return strings.Join(append(lines, c.Body), "\n")
}

// plainHeader is the header of a call where nothing is mapped: section B.7.
const plainHeader = "\nAccept: application/json\nContent-Type: application/json\n"

// What an HTTP integration sends: specification, sections B.7 and D.1.
func TestHTTPRequests(t *testing.T) {
	t.Parallel()
	const message = `{"action":"x","kind":"k","user":{"id":7,"name":"Ada & Bob"},"tags":["a","b"]}`
	templates := map[string]string{"k": `{"chosen": "k"}`, "$default": `{"chosen": "default"}`, "application/json": `{"chosen": "json"}`, "200": `{"chosen": "200"}`}
	only := func(keys ...string) map[string]string {
		some := map[string]string{}
		for _, key := range keys {
			some[key] = templates[key]
		}
		return some
	}
	parameters := func(pairs ...string) map[string]string {
		all := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			all["integration.request."+pairs[i]] = pairs[i+1]
		}
		return all
	}
	tests := []struct {
		name        string
		path        string
		integration apigw.Integration
		call        string // that the backend receives; "" for none
		frame       string // that the client receives; "" for the backend's answer
		log         string // a part of the record's error
	}{
		{"no templates: the message", "/p", apigw.Integration{}, "POST /p" + plainHeader + message, "", ""},
		{"the method", "/p", apigw.Integration{IntegrationMethod: "PATCH"}, "PATCH /p" + plainHeader + message, "", ""},
		{"the method ANY", "/p", apigw.Integration{IntegrationMethod: "ANY"}, "POST /p" + plainHeader + message, "", ""},

		{"D.1, 2: key of the expression", "/", apigw.Integration{TemplateSelectionExpression: "$request.body.kind", RequestTemplates: templates}, "POST /" + plainHeader + `{"chosen": "k"}`, "", ""},
		{"D.1, 2: fallback to $default", "/", apigw.Integration{TemplateSelectionExpression: "$request.body.none", RequestTemplates: templates}, "POST /" + plainHeader + `{"chosen": "default"}`, "", ""},
		{`D.1, 2: \$default`, "/", apigw.Integration{TemplateSelectionExpression: `\$default`, RequestTemplates: templates}, "POST /" + plainHeader + `{"chosen": "default"}`, "", ""},
		{"D.1, 2: static", "/", apigw.Integration{TemplateSelectionExpression: "200", RequestTemplates: templates}, "POST /" + plainHeader + `{"chosen": "200"}`, "", ""},
		{"D.1, 2: no expression, $default", "/", apigw.Integration{RequestTemplates: templates}, "POST /" + plainHeader + `{"chosen": "default"}`, "", ""},
		{"D.1, 2: no expression, application/json", "/", apigw.Integration{RequestTemplates: only("application/json")}, "POST /" + plainHeader + `{"chosen": "json"}`, "", ""},

		{"D.1, 3: WHEN_NO_MATCH", "/", apigw.Integration{TemplateSelectionExpression: "200", RequestTemplates: only("k"), PassthroughBehavior: "WHEN_NO_MATCH"}, "POST /" + plainHeader + message, "", ""},
		{"D.1, 3: WHEN_NO_TEMPLATES with templates", "/", apigw.Integration{TemplateSelectionExpression: "200", RequestTemplates: only("k"), PassthroughBehavior: "WHEN_NO_TEMPLATES"}, "", failing("Unsupported Media Type"), "no request template fits"},
		{"D.1, 3: WHEN_NO_TEMPLATES without", "/", apigw.Integration{PassthroughBehavior: "WHEN_NO_TEMPLATES"}, "POST /" + plainHeader + message, "", ""},
		{"D.1, 3: NEVER", "/", apigw.Integration{PassthroughBehavior: "NEVER"}, "", failing("Unsupported Media Type"), "no request template fits"},
		{"D.1, 3: NEVER with a template", "/", apigw.Integration{PassthroughBehavior: "NEVER", RequestTemplates: only("$default")}, "POST /" + plainHeader + `{"chosen": "default"}`, "", ""},

		{"D.1, 1: every source", "/{op}/{deep}?a=1&b={v}", apigw.Integration{RequestParameters: parameters(
			"header.X-User", "route.request.body.user.id", "header.X-Route", "context.routeKey", "header.X-Stage", "stageVariables.colour",
			"header.X-Static", "'it is'", "header.X-Tags", "route.request.body.tags", "header.X-None", "route.request.body.none",
			"header.X-Header", "route.request.header.Host",
			"querystring.a", "route.request.body.user.name", "querystring.c", "'é'", "path.op", "'do it'", "path.deep", "route.request.body.user.name", "path.v", "context.stage",
		)}, "POST /do%20it/Ada%20&%20Bob?a=Ada+%26+Bob&b=dev&c=%C3%A9\nAccept: application/json\nContent-Type: application/json\n" +
			"X-Route: x\nX-Stage: blue\nX-Static: it is\nX-Tags: [\"a\",\"b\"]\nX-User: 7\n" + message, "", ""},
		{"D.1, 1: defaults replaced", "/", apigw.Integration{RequestParameters: parameters("header.content-type", "'text/plain'", "header.Accept", "'*/*'")},
			"POST /\nAccept: */*\nContent-Type: text/plain\n" + message, "", ""},
		{"overrides of a template", "/{op}", apigw.Integration{RequestParameters: parameters("header.X-A", "'1'", "path.op", "'one'"),
			RequestTemplates: map[string]string{"$default": `#set($context.requestOverride.header.X-A = "2")#set($context.requestOverride.path.op = "two")#set($context.requestOverride.querystring.q = $input.path('$.user.id'))x`}},
			"POST /two?q=7\nAccept: application/json\nContent-Type: application/json\nX-A: 2\nx", "", ""},
		{"a value that would end a header line", "/", apigw.Integration{RequestTemplates: map[string]string{"$default": "#set($context.requestOverride.header.X-A = $util.parseJson('\"a\\r\\nX-B: b\"'))x"}},
			"POST /" + strings.TrimSuffix(plainHeader, "\n") + "\nX-A: a  X-B: b\nx", "", ""},

		{"D.1, 4: base64 into bytes", "/", apigw.Integration{ContentHandlingStrategy: "CONVERT_TO_BINARY", RequestTemplates: map[string]string{"$default": "aGk="}}, "POST /" + plainHeader + "hi", "", ""},
		{"D.1, 4: no base64", "/", apigw.Integration{ContentHandlingStrategy: "CONVERT_TO_BINARY"}, "", internalFrame, "the content is not base64"},
		{"D.1, 4: text stays text", "/", apigw.Integration{ContentHandlingStrategy: "CONVERT_TO_TEXT"}, "POST /" + plainHeader + message, "", ""},

		{"B.7: reserved header", "/", apigw.Integration{RequestParameters: parameters("header.content-length", "'1'")}, "", internalFrame, `requestParameters["integration.request.header.content-length"]: the header content-length cannot be mapped`},
		{"B.7: reserved header by a template", "/", apigw.Integration{RequestTemplates: map[string]string{"$default": `#set($context.requestOverride.header.X-Amzn-Trace-Id = "1")`}}, "", internalFrame, "the header X-Amzn-Trace-Id cannot be mapped"},
		{"placeholder without a value", "/{op}", apigw.Integration{}, "", internalFrame, "{op} in the integration's URI has no value; map integration.request.path.op"},
		{"placeholder that leads elsewhere", "/a/{op}/b", apigw.Integration{RequestParameters: parameters("path.op", "'..'")}, "", internalFrame, "lead to another path"},
		{"slashes in a placeholder's value", "/a/{op}", apigw.Integration{RequestParameters: parameters("path.op", "'../b?c#d%2F'")}, "POST /a/..%2Fb%3Fc%23d%252F" + plainHeader + message, "", ""},
		{"H.8: stage variable", "/${stageVariables.colour}", apigw.Integration{}, "POST /blue" + plainHeader + message, "", ""},
		{"H.8: stage variable that is not there", "/${stageVariables.shape}", apigw.Integration{}, "", internalFrame, "IntegrationUri: the stage has no variable shape"},
		{"E.6: template that fails", "/", apigw.Integration{RequestTemplates: map[string]string{"$default": "#foreach($a in [1..999])#foreach($b in [1..999])$a$b#end#end"}}, "", internalFrame, `requestTemplates["$default"]`},
		{"template that is wrong", "/", apigw.Integration{RequestTemplates: map[string]string{"k": "#if("}}, "", internalFrame, `requestTemplates["k"]`},
		{"expression that is wrong", "/", apigw.Integration{TemplateSelectionExpression: "$context.stage"}, "", internalFrame, "templateSelectionExpression"},
		{"VPC link without an address", "/", apigw.Integration{ConnectionType: "VPC_LINK", ConnectionId: "abc123"}, "", internalFrame, `the VPC link "abc123" has no address here`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			backend := NewBackend(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "done") })
			g := New(t, websocket.DriverAuto)
			i := test.integration
			i.IntegrationType, i.IntegrationUri, i.IntegrationResponses = "HTTP", backend.URL+test.path, passing
			g.Deploy(API("testapi123", Route{Key: "x", Integration: &i, TwoWay: true}),
				&apigw.Stage{StageName: "dev", StageVariables: map[string]string{"colour": "blue"}})
			c := g.Dial("/dev")
			c.Send(message)
			got, record := describe(c.Receive()), g.Records.Wait(t, "message", 1)
			if !strings.Contains(record.Error, test.log) || test.log == "" && record.Error != "" {
				t.Errorf("log %q, want %q", record.Error, test.log)
			}
			if test.call == "" {
				if got != test.frame || backend.Calls() != 0 {
					t.Errorf("%q after %d calls, want %q", got, backend.Calls(), test.frame)
				}
				return
			}
			if called := describeCall(backend.Last(t)); called != test.call || got != "done" {
				t.Errorf("the backend received\n%s\nwant\n%s\nthe client %q", called, test.call, got)
			}
		})
	}
}

// What the client gets of an HTTP integration's answer: specification, sections
// D.3 and D.4.
func TestHTTPResponses(t *testing.T) {
	t.Parallel()
	type responses = []*apigw.IntegrationResponse
	const noMatch = "Execution failed due to configuration error: No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 404"
	chosen := func(r *apigw.IntegrationResponse, selection string, templates map[string]string) *apigw.IntegrationResponse {
		r.TemplateSelectionExpression, r.ResponseTemplates = selection, templates
		return r
	}
	converted := func(strategy string) *apigw.IntegrationResponse {
		return &apigw.IntegrationResponse{IntegrationResponseKey: "$default", ContentHandlingStrategy: strategy}
	}
	tests := []struct {
		name      string
		status    int
		kind      string // Content-Type
		body      string
		responses responses
		want      string
		log       string
	}{
		{"pattern", 404, "", `{"a":1}`, responses{answering("/4\\d\\d/", "pattern"), answering("$default", "default")}, "pattern", ""},
		{"exact key", 404, "", "", responses{answering("404", "exact"), answering("/4\\d\\d/", "pattern")}, "exact", ""},
		{"the pattern must fit all of it (M.7)", 404, "", "", responses{answering("/40/", "pattern"), answering("$default", "default")}, "default", ""},
		{"fallback to $default", 404, "", "", responses{answering("/2\\d\\d/", "pattern"), answering("$default", "default")}, "default", ""},
		{"no match and no $default", 404, "", "", responses{answering("/2\\d\\d/", "pattern")}, internalFrame, noMatch},
		{"no integration responses", 404, "", "", nil, internalFrame, noMatch},
		{"no template: the body", 404, "", "as it is", passing, "as it is", ""},
		{"the status does not matter", 500, "", "down", passing, "down", ""},
		{"empty body", 200, "", "", passing, "", ""},
		{"template", 200, "", `{"n":[1,2]}`, responses{answering("$default", `$input.path('$.n').size() of $context.routeKey, $context.integration.status`)}, "2 of x, 200", ""},
		{"template selected by status", 503, "", "", responses{chosen(answering("$default", ""), "$integration.response.statuscode", map[string]string{"503": "busy", "$default": "fine"})}, "busy", ""},
		{"template selected by header", 200, "text/csv", "", responses{chosen(answering("$default", ""), "$integration.response.header.content-type", map[string]string{"text/csv": "csv"})}, "csv", ""},
		{"template selected by the message", 200, "", "", responses{chosen(answering("$default", ""), "$request.body.want", map[string]string{"short": "s"})}, "s", ""},
		{"template selected by nothing: the body", 200, "", "b", responses{chosen(answering("$default", ""), "none", map[string]string{"short": "s"})}, "b", ""},
		{"template that fails", 200, "", "", responses{answering("$default", "#foreach($a in [1..999])#foreach($b in [1..999])$a$b#end#end")}, internalFrame, `integration response "$default": responseTemplates["$default"]`},
		{"bytes into base64", 200, "image/png", "\xff\x00", responses{converted("CONVERT_TO_TEXT")}, "/wA=", ""},
		{"text stays text", 200, "text/plain", "plain", responses{converted("CONVERT_TO_TEXT")}, "plain", ""},
		{"base64 into bytes", 200, "text/plain", "aGk=", responses{converted("CONVERT_TO_BINARY")}, "hi", ""},
		{"no base64", 200, "text/plain", "!", responses{converted("CONVERT_TO_BINARY")}, internalFrame, "the content is not base64"},
		{"bytes as text", 200, "image/png", "a\xffb", passing, "a\uFFFDb", ""},
		{"C.9: 128 KB", 200, "", strings.Repeat("x", 131072), passing, strings.Repeat("x", 131072), ""},
		{"C.9: more than 128 KB", 200, "", strings.Repeat("x", 131073), passing, internalFrame, "larger than 131072 bytes"},
		{"D.3: template that makes too much", 200, "", "", responses{answering("$default", `#set($s="xxxxxxxxxxxxxxxx")#foreach($i in [1..20])#set($s="$s$s")#end$s`)}, internalFrame, "responseTemplates"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			backend := NewBackend(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.kind)
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			})
			g := New(t, websocket.DriverAuto)
			i := &apigw.Integration{IntegrationType: "HTTP", IntegrationUri: backend.URL, IntegrationResponses: test.responses}
			g.DeployRoutes(Route{Key: "x", Integration: i, TwoWay: true}, Route{Key: "one", Integration: i}, Route{Key: "$default", TwoWay: true})
			c := g.Dial("/dev")
			c.Send(`{"action":"x","want":"short"}`)
			if got := describe(c.Receive()); got != test.want {
				t.Errorf("received %.200q, want %.200q", got, test.want)
			}
			if got := g.Records.Wait(t, "message", 1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
				t.Errorf("log %q, want %q", got, test.log)
			}
			// D.3: a one-way route sends nothing, whatever its integration
			// responses are; it needs none.
			c.Send(`{"action":"one"}`)
			if r := g.Records.Wait(t, "message", 2); r.Error != "" || r.Status != test.status {
				t.Errorf("one-way: %+v", r)
			}
			c.Send(`{"action":"other"}`) // its frame is the next that comes
			if got := describe(c.Receive()); got != internalFrame {
				t.Errorf("the one-way route sent %.200q", got)
			}
		})
	}
}
