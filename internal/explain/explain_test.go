package explain

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/mistake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"

// subject is a stage of an API with routes whose target is the integration of the same name.
func subject(change func(*Subject), integrations ...*apigw.Integration) *Subject {
	s := &Subject{
		API:   &apigw.API{ApiId: "abcdefghij", Name: "test", RouteSelectionExpression: "$request.body.action", Integrations: integrations},
		Stage: &apigw.Stage{ApiId: "abcdefghij", StageName: "dev", DeploymentId: "d"}, Region: "us-east-1", AccountID: "123456789012",
	}
	for _, i := range integrations {
		s.API.Routes = append(s.API.Routes, &apigw.Route{
			RouteKey: i.IntegrationId, Target: "integrations/" + i.IntegrationId,
			RouteResponses: []*apigw.RouteResponse{{RouteResponseKey: "$default"}},
		})
	}
	if change != nil {
		change(s)
	}
	return s
}

func explained(t *testing.T, s *Subject, in *Input) *Explanation {
	t.Helper()
	x, err := Explain(s, in)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func message(text string, answer *Answer) *Input {
	return &Input{Message: []byte(text), Answer: answer}
}

// The answer of a function means what it means to the type of integration that calls it.
func TestAnswersOfFunctions(t *testing.T) {
	t.Parallel()
	mapped := &apigw.Integration{
		IntegrationId: "mapped", IntegrationType: "AWS", IntegrationUri: functionURI, IntegrationMethod: "POST",
		IntegrationResponses: []*apigw.IntegrationResponse{
			{IntegrationResponseKey: "$default"},
			{IntegrationResponseKey: "/.*gone.*/", ResponseTemplates: map[string]string{"$default": "sorry"}},
		},
	}
	proxy := &apigw.Integration{IntegrationId: "proxy", IntegrationType: "AWS_PROXY", IntegrationUri: functionURI, IntegrationMethod: "POST"}
	s := subject(nil, mapped, proxy)
	for _, test := range []struct {
		action string
		answer Answer
		reply  string
		result string
	}{
		{"proxy", Answer{Body: `{"statusCode":200,"body":"hi"}`}, "hi", Served},
		{"proxy", Answer{Body: "hi", Status: 201}, "hi", Served},
		{"proxy", Answer{Body: `{"other":1}`}, "", Failed},
		{"proxy", Answer{Body: `{"errorMessage":"gone"}`}, "", Failed},
		{"mapped", Answer{Body: `{"a":1}`}, `{"a":1}`, Served},
		{"mapped", Answer{Body: `{"a":1}`, Status: 404}, `{"a":1}`, Served},
		{"mapped", Answer{Body: `text`}, `"text"`, Served},
		{"mapped", Answer{Body: `{"errorMessage":"all gone"}`}, "sorry", Served},
	} {
		x := explained(t, s, message(`{"action":"`+test.action+`"}`, &test.answer))
		if x.Result != test.result || x.Request == nil || x.Request.Kind != "LAMBDA" ||
			test.reply != "" && (x.Reply == nil || x.Reply.Body != test.reply) {
			t.Errorf("%+v: %s, %+v, %+v", test, x.Result, x.Reply, x.Error)
		}
	}
}

// A JWT whose issuer would have to be asked is believed, and that is said; what can be seen
// without it, is.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := subject(func(s *Subject) {
		s.API.Tags = map[string]string{"stagedoor:jwt": "issuer=https://issuer.invalid audience=chat"}
		s.API.Routes[0].RouteKey, s.API.Routes[0].RouteResponses = "$connect", nil
	}, &apigw.Integration{
		IntegrationId: "connect", IntegrationType: "MOCK",
		RequestTemplates: map[string]string{"$default": `{"statusCode": 20$context.authorizer.digit}`},
	})
	// {"alg":"RS256","kid":"k"}.{"sub":"u"}.x
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJzdWIiOiJ1In0.eA"
	connect := &Input{Connect: true, Context: []event.Parameter{{Name: "sub", Value: "u-1"}, {Name: "digit", Value: "1"}}}
	if x := explained(t, s, connect); x.Result != Refused || x.Error.Status != 401 || *x.Access[0].Passed {
		t.Errorf("without a token: %+v, %+v", x.Access, x.Error)
	}
	connect.Header = []event.Parameter{{Name: "Authorization", Value: "Bearer " + token}}
	x := explained(t, s, connect)
	if x.Result != Served || !*x.Access[0].Passed || x.Access[0].Who != "u-1" || !strings.Contains(x.Access[0].Note, "taken as valid") {
		t.Errorf("with a token: %s, %+v, %+v", x.Result, x.Access, x.Error)
	}
}

// A handshake that must be signed is taken as signed; without an authorizer the context is
// what one would return.
func TestConnectWithoutAuthorizer(t *testing.T) {
	t.Parallel()
	s := subject(func(s *Subject) {
		s.API.Routes[0].RouteKey, s.API.Routes[0].AuthorizationType = "$connect", "AWS_IAM"
		s.API.Routes[0].RouteResponses = nil
	}, &apigw.Integration{
		IntegrationId: "connect", IntegrationType: "MOCK",
		RequestTemplates: map[string]string{"$default": `{"statusCode": $context.authorizer.status$input.params('n')}`},
	})
	x := explained(t, s, &Input{
		Connect: true, Query: url.Values{"n": {"4"}}, Context: []event.Parameter{{Name: "status", Value: "40"}},
	})
	if x.Result != Refused || x.Reply.Status != 404 || x.Access[0].Kind != "signature" || len(x.Notes) != 1 {
		t.Errorf("%s, %+v, %+v, %q", x.Result, x.Reply, x.Access, x.Notes)
	}
}

// A message that the stage does not take closes the connection; one for which a frame is too
// small is told of.
func TestSizes(t *testing.T) {
	t.Parallel()
	s := subject(nil, &apigw.Integration{IntegrationId: "x", IntegrationType: "HTTP_PROXY", IntegrationUri: "http://127.0.0.1:1/", IntegrationMethod: "POST"})
	x := explained(t, s, message(strings.Repeat("x", 128<<10+1), nil))
	if x.Result != Refused || x.Reply.Close != 1009 {
		t.Errorf("%s, %+v", x.Result, x.Reply)
	}
	x = explained(t, s, message(`{"action":"x","text":"`+strings.Repeat("x", 40<<10)+`"}`, nil))
	if x.Result != Served || !strings.Contains(x.Notes[0], "several frames") {
		t.Errorf("%s, %q", x.Result, x.Notes)
	}
}

// A VPC link leads somewhere here, whatever its address is; what cannot work is a mistake.
func TestDefects(t *testing.T) {
	t.Parallel()
	linked := &apigw.Integration{
		IntegrationId: "linked", IntegrationType: "HTTP_PROXY", IntegrationUri: "http://inner.example.com/", IntegrationMethod: "POST",
		ConnectionType: "VPC_LINK", ConnectionId: "link01",
	}
	if x := explained(t, subject(nil, linked), message(`{"action":"linked"}`, nil)); x.Result != Served || x.Request.URL != "http://inner.example.com/" {
		t.Errorf("%s, %+v", x.Result, x.Request)
	}
	broken := &apigw.Integration{
		IntegrationId: "broken", IntegrationType: "MOCK", RequestTemplates: map[string]string{"$default": "a\n #if($x == )"},
	}
	x := explained(t, subject(func(s *Subject) {
		s.File, s.Source = "template.yaml", []byte("Templates:\n  $default: |\n    a\n     #if($x == )\n")
	}, broken), message(`{"action":"broken"}`, nil))
	if x.Result != Mistaken || len(x.Mistakes) != 1 {
		t.Fatalf("%s, %+v", x.Result, x.Mistakes)
	}
	if m := x.Mistakes[0]; m.File != "template.yaml" || m.Line != 4 || m.Source != "     #if($x == )" || m.Column < 12 || m.Where != "route broken" {
		t.Errorf("%+v", m)
	}
	x = explained(t, subject(nil, broken), message(`{"action":"broken"}`, nil))
	if m := x.Mistakes[0]; m.File != "request template $default" || m.Line != 2 || m.Source != " #if($x == )" {
		t.Errorf("without a file: %+v", m)
	}
}

// The column of a mistake is that of what its message names.
func TestColumns(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "template.yaml")
	text := "Resources:\n  Api:\n    Type: AWS::ApiGatewayV2::Ap\n    Properties:\n      RequestTemplates:\n        $default: |\n\n          first\n          second\n        other: 'x'\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		line         int
		message      string
		atLine, want int
	}{
		{3, "unknown type AWS::ApiGatewayV2::Ap", 3, 11},
		{2, "nothing of the line", 2, 3},
		{0, "no line", 0, 0},
		{99, "no such line", 99, 0},
		{5, `RequestTemplates["$default"]: line 2, column 3: wrong`, 8, 13},
		{5, `RequestTemplates["other"]: line 1, column 2: wrong`, 5, 7},
		{5, `RequestTemplates["$default"]: line 90, column 3: wrong`, 5, 7},
	} {
		got := placed(mistake.List{{File: file, Line: test.line, Message: test.message}})[0]
		if got.Line != test.atLine || got.Column != test.want {
			t.Errorf("%+v: line %d, column %d", test, got.Line, got.Column)
		}
	}
}
